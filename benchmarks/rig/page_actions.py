"""What a newcomer does on the page in a first session, wrong things too, and what must come of it.

Each action is done by pointer or key and has what must be true of the page afterwards: a selector,
or an expression that JavaScript takes.  ``view`` says where it stands on a small screen, where one
thing is shown at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

AMP = """{"version": "0.5.4", "architecture": "LSTM", "sample_rate": 48000, "metadata": {"name":
"My amp", "loudness": -18.0}, "config": {"input_size": 1, "hidden_size": 2, "num_layers": 1},
"weights": [%s]}""" % ", ".join(["0.1"] * 39)  # noqa: UP031
DROP = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    const how = { dataTransfer: data, bubbles: true, cancelable: true };
    for (const kind of ["dragover", "drop"]) document.dispatchEvent(new DragEvent(kind, how));
}"""
MIX = "document.querySelector('[data-parameter=mix]').getAttribute('aria-valuetext')"
OPEN, SHUT = "#dialog[open]", "= !document.querySelector('#dialog').open"


@dataclass(frozen=True)
class Action:
    """One thing that is done.

    Attributes
    ----------
    name : str
    do : callable
        Takes the page.
    right : str
        A selector that is there then, or an expression of JavaScript behind ``= ``.
    view : str
        "play", "styles", "path", "levels", "stage", "tools" (the menu), or "" where it is.
    wrong : bool
        Whether it is a mistake, of which nothing or a sentence is to come.
    """

    name: str
    do: Callable[[Any], Any]
    right: str
    view: str = ""
    wrong: bool = False


def go(page: Any, view: str) -> None:
    """Have a view in sight, where the screen shows one at a time."""
    if page.locator("#dialog[open]").count():
        return
    if view == "tools":
        if page.locator("#menu").is_visible() and not page.locator("#tools").is_visible():
            page.click("#menu")
    elif view and page.locator(".views").is_visible():
        if page.evaluate("document.body.dataset.view") != view:
            page.click(f'.views [data-to="{view}"]')


def _click(selector: str) -> Callable[[Any], Any]:
    return lambda page: page.click(selector)


def _key(name: str, times: int = 1) -> Callable[[Any], Any]:
    def press(page: Any) -> None:
        page.evaluate("document.activeElement.blur()")
        for _ in range(times):
            page.keyboard.press(name)

    return press


def _fill(selector: str, text: str) -> Callable[[Any], Any]:
    return lambda page: page.fill(selector, text)


def _typed(parameter: str, text: str) -> Callable[[Any], Any]:
    """Type a value into a knob."""

    def do(page: Any) -> None:
        page.locator(f'[data-parameter="{parameter}"]').first.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    return do


def _knob(parameter: str, name: str) -> Callable[[Any], Any]:
    return lambda page: page.locator(f'[data-parameter="{parameter}"]').first.press(name)


def _stage(name: str, button: str = "") -> str:
    """The selector of a pedal by its name, or of a button on it."""
    return f'.stage:has(> .stage-head .handle:text-is("{name}")) {button}'.strip()


def _add(name: str, where: str = '[data-keep="add-path"]') -> Callable[[Any], Any]:
    def do(page: Any) -> None:
        page.locator(where).first.click()
        page.click(f'#dialog .choice:has(b:text-is("{name}"))')

    return do


def _playing(model: str) -> str:
    return f'.card.on [data-model="{model}"]'


def _drop(name: str, text: str) -> Callable[[Any], Any]:
    return lambda page: page.evaluate(DROP, [name, text])


def _drag_pad(page: Any) -> None:
    pad = page.locator(".pad svg")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], box["y"] + box["height"], steps=6)
    page.mouse.up()


def _drag_pedal(page: Any) -> None:
    page.drag_and_drop(
        '.handle:text-is("Reverb")', '.handle:text-is("Chorus")', target_position={"x": 2, "y": 8}
    )


def _submitted(selector: str, text: str) -> Callable[[Any], Any]:
    def do(page: Any) -> None:
        page.fill(selector, text)
        page.click('#dialog button[type="submit"]')

    return do


def _twice(selector: str) -> Callable[[Any], Any]:
    def do(page: Any) -> None:
        page.click(selector)
        page.click(selector)

    return do


def _learn(page: Any) -> None:
    page.click("#learn")
    go(page, "play")
    page.locator('[data-parameter="mix"]').click()


def _back_to_mine(page: Any) -> None:
    page.click("#open-presets")
    page.click(f"{MINE} .choice")


def _off_stage(page: Any) -> None:
    page.locator('.views [data-to="play"]:visible, .tools [data-to="stage"]:visible').first.click()


REVERB_FIRST = '.stage:has(.handle:text-is("Reverb")) + .stage:has(.handle:text-is("Chorus"))'
MINE = '#dialog li:has(b:text-is("My sound"))'
ACTIONS = (
    Action(
        "look for a style",
        _fill("#model-search", "clean"),
        '.card:not(.hidden) [data-model="clean"]',
        "styles",
    ),
    Action(
        "look for what is not there",
        _fill("#model-search", "girl voice"),
        '.nothing:not(.hidden):has-text("girl voice")',
        wrong=True,
    ),
    Action("take the hint", _click('.nothing button:text-is("Voice")'), ".nothing.hidden"),
    Action(
        "look for nothing", _fill("#model-search", ""), '.card:not(.hidden) [data-model="tape"]'
    ),
    Action(
        "hear a sample",
        _click('.card:has([data-model="tape"]) .hear'),
        '.hear[aria-pressed="true"]',
    ),
    Action(
        "hear no more",
        _click('.card:has([data-model="tape"]) .hear'),
        "= !document.querySelector('.hear[aria-pressed=true]')",
    ),
    Action(
        "make it a favourite",
        _click('.card:has([data-model="tape"]) .star'),
        '[data-group="Favourites"] [data-model="tape"]',
    ),
    Action(
        "no favourite any more",
        _click('.card:has([data-model="tape"]) .star'),
        "= !document.querySelector('[data-group=Favourites]')",
    ),
    Action("read about it", _click('.card:has([data-model="tape"]) [title="About"]'), OPEN),
    Action("close it", _key("Escape"), SHUT),
    Action(
        "press a broken model",
        lambda page: page.locator('[data-model="torn"]').dispatch_event("click"),
        '.card:not(.on):not(.coming) [data-model="torn"]:disabled',
        wrong=True,
    ),
    Action("choose a style", _click('[data-model="tape"]'), _playing("tape")),
    Action("choose it again", _click('[data-model="tape"]'), _playing("tape"), wrong=True),
    Action("bypass", _click("#bypass"), "body.bypassed[data-air=bypassed]", "play"),
    Action("and back by a key", _key("b"), "body:not(.bypassed)[data-air=live]"),
    Action("mute", _key("s"), "body[data-air=muted]"),
    Action("talk", lambda page: page.keyboard.down("y"), "body[data-air=live]"),
    Action("let go", lambda page: page.keyboard.up("y"), "body[data-air=muted]"),
    Action("be heard again", _click("#mute"), "body[data-air=live]"),
    Action("type a mix", _typed("mix", "50"), f"= {MIX}.startsWith('50')"),
    Action("type no number", _typed("mix", "loud"), f"= {MIX}.startsWith('50')", wrong=True),
    Action("type too much", _typed("mix", "9999"), f"= {MIX}.startsWith('100')", wrong=True),
    Action("turn it by keys", _knob("mix", "ArrowDown"), f"= !{MIX}.startsWith('100')"),
    Action("to its default", _knob("mix", "Delete"), f"= {MIX}.startsWith('100')"),
    Action("undo", _key("Control+z"), "#redo:enabled"),
    Action("redo", _key("Control+Shift+z"), f"= {MIX}.startsWith('100')"),
    Action(
        "a style with a pad", _click('[data-model="amp-blend"]'), _playing("amp-blend"), "styles"
    ),
    Action("drag its puck", _drag_pad, '.pad[aria-valuetext*="fuzz 100"]', "play"),
    Action(
        "a corner by its number",
        lambda page: page.locator(".pad").press("2"),
        '.pad[aria-valuetext*="crunch 100"]',
    ),
    Action("open the list of stages", _click('[data-keep="add-path"]'), OPEN, "path"),
    Action("think better of it", _key("Escape"), SHUT, wrong=True),
    Action("add a reverb", _add("Reverb"), _stage("Reverb")),
    Action("add a chorus", _add("Chorus"), _stage("Chorus")),
    Action(
        "open a pedal",
        _click(_stage("Reverb", ".unfold")),
        _stage("Reverb", '[aria-expanded="true"]'),
    ),
    Action(
        "turn a knob of it",
        lambda page: page.locator(f"{_stage('Reverb')} .knob").last.press("End"),
        _stage("Reverb"),
    ),
    Action(
        "move a pedal by keys",
        lambda page: page.press('.handle:text-is("Chorus")', "Alt+ArrowLeft"),
        '.stage:has(.handle:text-is("Chorus")) + .stage:has(.handle:text-is("Reverb"))',
    ),
    Action("drag a pedal", _drag_pedal, REVERB_FIRST),
    Action(
        "and further than there is",
        lambda page: page.press('.handle:text-is("Chorus")', "Alt+ArrowRight"),
        REVERB_FIRST,
        wrong=True,
    ),
    Action("switch a pedal off", _click(_stage("Chorus", ".power")), ".stage.off"),
    Action("and on", _click(_stage("Chorus", ".power")), "= !document.querySelector('.stage.off')"),
    Action(
        "take a pedal out",
        _click(_stage("Chorus", ".remove")),
        "= !document.querySelector('#chain').textContent.includes('Chorus')",
    ),
    Action("undo that", _click("#undo"), _stage("Chorus")),
    Action("add two branches", _add("Two branches"), _stage("group")),
    Action(
        "a pedal into a branch", _add("Delay", ".branch .add"), '.branch .handle:text-is("Delay")'
    ),
    Action(
        "take all branches out",
        lambda page: page.locator(_stage("group", ".remove")).last.click(),
        "= !document.querySelector('.branch')",
    ),
    Action("a looper", _add("Looper"), "#looper:not(.hidden)"),
    Action("record a loop", _click("#loop-record"), '#loop-record[aria-pressed="true"]', "play"),
    Action("play it", _click("#loop-play"), '#loop-state:has-text("plays")'),
    Action("clear it", _click("#loop-clear"), '#loop-state:has-text("empty")'),
    Action("take the looper out", _click(_stage("Looper", ".remove")), "#looper.hidden", "path"),
    Action("open the presets", _key("p"), OPEN),
    Action("keep a sound without a name", _submitted("#preset-to-save", ""), OPEN, wrong=True),
    Action("keep it", _submitted("#preset-to-save", "My sound"), MINE),
    Action(
        "under a name there is",
        _submitted("#preset-to-save", "My sound"),
        '#dialog button:has-text("Replace")',
        wrong=True,
    ),
    Action(
        "load one that comes along",
        _click('#dialog .choice:has(b:text-is("radio"))'),
        '#preset-name:has-text("radio")',
    ),
    Action("change it", _typed("mix", "40"), "#open-presets.modified", "play"),
    Action("back to one's own", _back_to_mine, '#preset-name:has-text("My sound")'),
    Action("open them again", _click("#open-presets"), MINE),
    Action(
        "delete it, surely",
        _twice(f"{MINE} .tool"),
        "= !document.querySelector('#dialog').textContent.includes('My sound')",
    ),
    Action("close the presets", _click("#dialog-close"), SHUT),
    Action("ask for a scene", _click("#keep-scene"), "#scene-name", "play"),
    Action("keep a scene", _submitted("#scene-name", "Verse"), '.scenes button:text-is("Verse")'),
    Action("turn the mix", _typed("mix", "30"), f"= {MIX}.startsWith('30')"),
    Action("recall the scene", _key("1"), f"= !{MIX}.startsWith('30')"),
    Action("a scene there is not", _key("9"), '.scenes button[aria-pressed="true"]', wrong=True),
    Action("compare two sounds", _key("a"), '#compare[aria-pressed="true"]'),
    Action("to the other", _click("#compare"), '#compare:has-text("[")'),
    Action(
        "keep this one",
        _click('.concert button:text-is("Keep this")'),
        '#compare[aria-pressed="false"]',
    ),
    Action("tap a tempo", _key("t", 4), '#tap:has-text("Tap ")'),
    Action("panic", _click("#panic"), "body[data-air=live]"),
    Action("look at the setlists", _click("#setlist"), OPEN),
    Action("close them", _click("#dialog-close"), SHUT),
    Action("record", _key("r"), "#record.on"),
    Action("stop", _click("#record"), "#record:not(.on)"),
    Action("look at the takes", _click("#open-recordings"), "#dialog .recording a", "tools"),
    Action("close the takes", _click("#dialog-close"), SHUT),
    Action("tune", _click("#open-tuner"), "#tuner:not(.hidden)", "tools"),
    Action("tuned", _click("#open-tuner"), "#tuner.hidden", "tools"),
    Action("look at the device", _click("#open-devices"), "#device-inputs", "tools"),
    Action("a channel that is none", _submitted("#device-inputs", "x"), ".toast.error", wrong=True),
    Action("close the device", _click("#dialog-close"), SHUT),
    Action("look at MIDI", _click("#open-midi"), "#dialog[open]", "tools"),
    Action("close MIDI", _click("#dialog-close"), SHUT),
    Action("learn a knob", _learn, ".toast", "tools"),
    Action("the other theme", _click("#theme"), "html.light, html.dark", "tools"),
    Action("the system's theme again", _click("#theme"), "html", "tools"),
    Action("look at the keys", _key("?"), "#dialog .keys"),
    Action("close the keys", _key("Escape"), SHUT),
    Action("look at the details", _click("#details summary"), "#details[open]", "levels"),
    Action("reset the counters", _click("#health-reset"), "#health"),
    Action(
        "a text as a model",
        _drop("notes.txt", "no model at all"),
        '.toast.error:has-text("notes.txt")',
        wrong=True,
    ),
    Action("a capture", _drop("mine.nam", AMP), '#dialog:has-text("My amp")'),
    Action("play it ", _click('#dialog button:text-is("Play My amp")'), _playing("mine")),
    Action(
        "on stage",
        lambda page: page.locator('[data-to="stage"]:visible').first.click(),
        'body[data-view="stage"] .song-tile',
        "tools",
    ),
    Action(
        "press a tile",
        lambda page: page.locator(".song-tile").first.click(),
        '.song-tile[aria-current="true"]',
    ),
    Action("back to playing", _off_stage, 'body[data-view="play"]', "tools"),
    Action("load the page anew", lambda page: page.reload(), ".card.on"),
)
