"""``python -m train``: fit, evaluate and export recipes."""

from __future__ import annotations

import argparse
import sys

import torch

from realtime.errors import RestyleError

from .recipes import RECIPES, get_recipe


def main(argv: list[str] | None = None) -> int:
    """Run one command; exit code 2 with one sentence for bad input."""
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("fit", "train a recipe and keep the best checkpoint"),
        ("evaluate", "measure the best checkpoint on held-out scores"),
        ("export", "write exported/NAME.onnx through the gate"),
    ):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("recipe", help=", ".join(RECIPES))
        if name == "fit":
            sub.add_argument("--minutes", type=float, help="CPU minutes instead of the recipe's")
    commands.add_parser("models", help="fit, evaluate and export every recipe, and the demo clip")
    commands.add_parser("readme", help="write exported/README.md and the cards from the models")
    commands.add_parser("demo", help="render exported/demo.flac")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        return run(options)
    except RestyleError as error:
        sys.stderr.write(f"train: {error}\n")
        return 2


def run(options: argparse.Namespace) -> int:
    """Dispatch one parsed command."""
    from dataclasses import replace

    from . import export, fit, pages

    if options.command == "fit":
        recipe = get_recipe(options.recipe)
        schedule = recipe.schedule
        if options.minutes is not None:
            schedule = replace(schedule, minutes=options.minutes)
        print(f"best checkpoint: {fit.fit(recipe, recipe.data(), schedule)}", flush=True)
    elif options.command == "evaluate":
        from .evaluate import evaluate, table

        recipe = get_recipe(options.recipe)
        print(table(evaluate(recipe, fit.load(recipe)[0], recipe.data())))
    elif options.command == "export":
        print(f"wrote {export.export_recipe(get_recipe(options.recipe))}")
    elif options.command == "models":
        for name in RECIPES:
            recipe = get_recipe(name)
            fit.fit(recipe, recipe.data())
            print(f"wrote {export.export_recipe(recipe)}")
        pages.render_demo()
        pages.write_pages()
    elif options.command == "readme":
        pages.write_pages()
    else:
        print(f"wrote {pages.render_demo()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
