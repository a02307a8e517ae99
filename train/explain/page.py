"""The page of an explanation: one self-contained HTML file."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

Array = npt.NDArray[np.float32]
RATE = 48000
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:920px;margin:2rem auto;
padding:0 1rem;color:#1b1e22}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin:2rem 0 .3rem}
p{margin:.3rem 0 .6rem}img{width:100%;height:auto}figure{margin:0 0 1rem}
figcaption{color:#555;font-size:.92rem}td,th{padding:.2rem .8rem .2rem 0;text-align:left}
.sounds{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:.6rem}
audio{width:100%}.note{color:#666;font-size:.9rem}
"""


@dataclass
class Page:
    """Sections in the order they are added; pictures are kept by name, too."""

    title: str
    about: str
    parts: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def section(self, title: str, text: str) -> None:
        """A heading and a paragraph."""
        self.parts.append(f"<h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>")

    def picture(self, name: str, content: bytes, what: str) -> None:
        """A picture with a sentence that says what to see."""
        self.pictures[name] = content
        data = base64.b64encode(content).decode()
        self.parts.append(
            f'<figure><img alt="{html.escape(what, quote=True)}"'
            f' src="data:image/png;base64,{data}"><figcaption>{html.escape(what)}</figcaption>'
            "</figure>"
        )

    def table(self, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Rows of text."""
        top = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows
        )
        self.parts.append(f"<table><tr>{top}</tr>{body}</table>")

    def sounds(self, clips: list[tuple[str, Array]]) -> None:
        """Players side by side."""
        cells = []
        for name, x in clips:
            buffer = io.BytesIO()
            soundfile.write(buffer, np.clip(x, -0.98, 0.98), RATE, "PCM_16", format="FLAC")
            data = base64.b64encode(buffer.getvalue()).decode()
            cells.append(
                f"<div>{html.escape(name)}<audio controls preload=none"
                f' src="data:audio/flac;base64,{data}"></audio></div>'
            )
        self.parts.append(f'<div class="sounds">{"".join(cells)}</div>')

    def write(self, target: Path, folder: Path | None) -> None:
        """Write the page, and the pictures to `folder` where one is named.

        Raises
        ------
        ConfigError
            It cannot be written.
        """
        text = (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self.title)}</title><style>{STYLE}</style>"
            f"<h1>{html.escape(self.title)}</h1><p>{html.escape(self.about)}</p>"
            + "\n".join(self.parts)
        )
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                for name, content in self.pictures.items():
                    (folder / f"{name}.png").write_bytes(content)
            with whole_file(target) as partial:
                partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot write {target}: {error.strerror}") from None
