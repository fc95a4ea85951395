#!/usr/bin/env python3
"""Draws what a program printed on a terminal as an SVG with real text.

    PROGRAM | terminal-svg.py TITLE > picture.svg

Reads text with ANSI colours from standard input. The picture brings its own background, so that it
looks the same on a light and on a dark page, and puts every run of characters at its column, so that
it is aligned in any monospaced font.
"""

import re
import sys
import unicodedata
from html import escape

COLUMNS = 112
COLUMN, LINE, MARGIN, BAR = 8.4, 20, 20, 40
FOREGROUND, BACKGROUND, FRAME, TITLE = "#e6edf3", "#161b22", "#3d444d", "#9198a1"
COLOURS = {
    30: "#484f58", 31: "#ff7b72", 32: "#3fb950", 33: "#d29922", 34: "#58a6ff", 35: "#bc8cff",
    36: "#39c5cf", 37: "#b1bac4", 90: "#8b949e", 91: "#ffa198", 92: "#56d364", 93: "#e3b341",
    94: "#79c0ff", 95: "#d2a8ff", 96: "#56d4dd", 97: "#ffffff",
}  # fmt: skip
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-ln-z]")


def width(character):
    """Returns how many columns a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def styled(text):
    """Yields (character, colour, is bold) for all that is printed, line ends included."""
    colour, bold, start = None, False, 0
    for found in [*ESCAPE.finditer(text), None]:
        for character in text[start : found.start() if found else len(text)]:
            yield character, colour, bold
        if found is None:
            return
        start = found.end()
        for code in map(int, filter(None, (found[1] if found[1] is not None else "").split(";"))):
            if code in (0, 39):
                colour = None
            if code in (0, 22):
                bold = False
            if code == 1:
                bold = True
            if code in COLOURS:
                colour = COLOURS[code]
        if found[0] == "\x1b[m":
            colour, bold = None, False


def rows(text):
    """Returns the lines of the screen, each a list of runs [column, columns, text, colour, is bold]."""
    lines, column = [[]], 0
    for character, colour, bold in styled(text):
        wide = 0 if character == "\n" else width(character)
        if character == "\n" or column + wide > COLUMNS:
            lines.append([])
            column = 0
            if character == "\n":
                continue
        line = lines[-1]
        if not line or line[-1][3:] != [colour, bold]:
            line.append([column, 0, "", colour, bold])
        line[-1][1] += wide
        line[-1][2] += character
        column += wide
    while lines and not lines[-1]:
        lines.pop()
    return lines


def drawn(run, baseline):
    """Draws a run without the spaces around it, which have no ink, only a place."""
    column, _, text, colour, bold = run
    body = text.strip(" ")
    if not body:
        return ""
    column += len(text) - len(text.lstrip(" "))
    columns = sum(map(width, body))
    style = f' fill="{colour}"' if colour else ""
    style += ' font-weight="600"' if bold else ""
    return (
        f'<text x="{MARGIN + column * COLUMN:g}" y="{baseline:g}" textLength="{columns * COLUMN:g}"'
        f'{style} xml:space="preserve">{escape(body)}</text>\n'
    )


def picture(text, title):
    """Returns the whole SVG."""
    lines = rows(text)
    most = max([run[0] + run[1] for line in lines for run in line] + [60])
    wide, high = most * COLUMN + 2 * MARGIN, BAR + len(lines) * LINE + MARGIN
    out = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}"'
        f' height="{high:g}" role="img" aria-label="{escape(title)}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect x=".5" y=".5" width="{wide - 1:g}" height="{high - 1:g}" rx="8"'
        f' fill="{BACKGROUND}" stroke="{FRAME}"/>\n'
    )
    for number, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        out += f'<circle cx="{20 + 18 * number}" cy="19" r="5.5" fill="{colour}"/>\n'
    out += (
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\','
        f' \'Liberation Mono\', monospace" font-size="14" fill="{FOREGROUND}">\n'
        f'<text x="{wide / 2:g}" y="24" text-anchor="middle" font-size="13" fill="{TITLE}">'
        f"{escape(title)}</text>\n"
    )
    for number, line in enumerate(lines):
        out += "".join(drawn(run, BAR + (number + 0.75) * LINE) for run in line)
    return out + "</g>\n</svg>\n"


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(picture(sys.stdin.read(), " ".join(sys.argv[1:])))
