"""The label sheet of a batch: one PDF, eight labels of 99.1 x 67.7 mm on an A4 page.

The upper part of a label stays on the device and sets it up. The lower part carries the claim code under
scratch-off foil, and a code that opens the page where it is typed; a dashed line parts them, so that it can
travel in the box instead.
"""

import io
from functools import cache
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from doorstep.factory.content import LabelContent
from doorstep.factory.qr import QrPath

__all__ = ["LABELS_PER_PAGE", "LabelSheet"]

_COLUMNS: Final = 2
_ROWS: Final = 4

LABELS_PER_PAGE: Final = _COLUMNS * _ROWS
"""The common sheet of eight (L7165 and its equals)."""

_WIDTH, _HEIGHT = 99.1 * mm, 67.7 * mm
_LEFT, _TOP, _PITCH = 4.65 * mm, 13.1 * mm, 101.6 * mm

_INK: Final = HexColor(0x14181F)
_QUIET: Final = HexColor(0x5A6472)
_LINE: Final = HexColor(0xB8C0CA)
_FOIL: Final = HexColor(0xE6EAEF)
_HATCH: Final = HexColor(0xD3D9E0)

_PLAIN, _BOLD, _CODE = "Vera", "VeraBd", "Courier-Bold"
_ARTWORK: Final = "artwork"

_MARGIN: Final = 4.5 * mm
_CUT: Final = 20.5 * mm
"""Height of the lower part."""
_QR_SIDE: Final = 34 * mm
_QR_BOTTOM: Final = _CUT + 7.6 * mm
_TEXT_LEFT: Final = _MARGIN + _QR_SIDE + 6 * mm
_TEXT_WIDTH: Final = _WIDTH - _TEXT_LEFT - _MARGIN
_SECOND_SIDE: Final = 19 * mm
_SECOND_LEFT: Final = _WIDTH - _MARGIN - _SECOND_SIDE
_SECOND_BOTTOM: Final = _CUT + 9.5 * mm
_FIELDS: Final = (("SERIAL NUMBER", 50.2 * mm), ("DEVICE ID", 40.4 * mm), ("SET-UP CODE", 31 * mm))
"""Captions and their heights; the value stands 4.3 mm below."""
_FOIL_LEFT, _FOIL_BOTTOM, _FOIL_WIDTH, _FOIL_HEIGHT = 23.6 * mm, 7 * mm, 44 * mm, 10.2 * mm
_CLAIM_SIDE: Final = 14 * mm
_CLAIM_LEFT: Final = _WIDTH - _MARGIN - _CLAIM_SIDE
_CLAIM_BOTTOM: Final = 3.2 * mm


class LabelSheet:
    """Collects labels and gives the PDF."""

    def __init__(self, title: str) -> None:
        """Start an empty sheet; ``title`` stands in the file's properties."""
        self._file = io.BytesIO()
        for name in (_PLAIN, _BOLD):
            pdfmetrics.registerFont(_font(name))
        self._canvas = Canvas(self._file, pagesize=A4, pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setAuthor("")
        self._canvas.setSubject("Device labels: confidential until the labels are attached")
        _draw_artwork(self._canvas)
        self._count = 0

    def add(self, content: LabelContent) -> None:
        """Draw the next label."""
        position = self._count % LABELS_PER_PAGE
        if position == 0 and self._count:
            self._canvas.showPage()
        row, column = divmod(position, _COLUMNS)
        self._canvas.saveState()
        self._canvas.translate(_LEFT + column * _PITCH, A4[1] - _TOP - (row + 1) * _HEIGHT)
        self._canvas.doForm(_ARTWORK)
        _draw_content(self._canvas, content)
        self._canvas.restoreState()
        self._count += 1

    def finish(self) -> bytes:
        """Return the PDF; the sheet takes no more labels."""
        self._canvas.save()
        return self._file.getvalue()


@cache
def _font(name: str) -> TTFont:
    return TTFont(name, f"{name}.ttf")


def _draw_content(canvas: Canvas, content: LabelContent) -> None:
    _draw_qr(canvas, content.qr, _MARGIN, _QR_BOTTOM, _QR_SIDE)
    room = _TEXT_WIDTH
    if content.easy_connect_qr is not None or content.wifi_qr is not None:
        _draw_second_code(canvas, content)
        room -= _SECOND_SIDE + 3 * mm
    canvas.setFillColor(_INK)
    _draw_fitted(canvas, _title(content), _BOLD, 12, _TEXT_LEFT, 57.6 * mm, _TEXT_WIDTH)
    values = (content.serial, content.device_id, content.setup_code)
    for (_, height), value, size in zip(_FIELDS, values, (10.5, 10.5, 12), strict=True):
        _draw_fitted(canvas, value, _CODE, size, _TEXT_LEFT, height - 4.5 * mm, room)
    canvas.setFont(_CODE, 11.6)
    canvas.drawCentredString(
        _FOIL_LEFT + _FOIL_WIDTH / 2, _FOIL_BOTTOM + _FOIL_HEIGHT / 2 - 3.8, content.claim_code
    )
    if content.claim_qr is not None:
        _draw_qr(canvas, content.claim_qr, _CLAIM_LEFT, _CLAIM_BOTTOM, _CLAIM_SIDE)
        where = _FOIL_LEFT + _FOIL_WIDTH + 2 * mm
        _draw_lines(canvas, _PLAIN, where, ("Claim it", "with your", "phone"), 13.4 * mm, _QUIET, 5.6)


def _draw_second_code(canvas: Canvas, content: LabelContent) -> None:
    qr = content.easy_connect_qr or content.wifi_qr
    if qr is not None:
        _draw_qr(canvas, qr, _SECOND_LEFT, _SECOND_BOTTOM, _SECOND_SIDE)
    canvas.setFillColor(_QUIET)
    canvas.setFont(_PLAIN, 5.6)
    middle = _SECOND_LEFT + _SECOND_SIDE / 2
    lines = (
        ("Or scan in your", "phone's Wi-Fi settings") if content.easy_connect_qr else ("Its own Wi-Fi; key:",)
    )
    for number, line in enumerate(lines):
        canvas.drawCentredString(middle, _SECOND_BOTTOM - (3 + 2.4 * number) * mm, line)
    if content.wifi_key:
        canvas.setFillColor(_INK)
        canvas.setFont(_CODE, 6.4)
        canvas.drawCentredString(middle, _SECOND_BOTTOM - (3.5 + 2.4 * len(lines)) * mm, content.wifi_key)


def _draw_qr(canvas: Canvas, qr: QrPath, left: float, bottom: float, side: float) -> None:
    module = side / qr.modules
    canvas.saveState()
    canvas.setFillColorRGB(0, 0, 0)
    canvas.translate(left, bottom)
    canvas.scale(module, module)
    canvas.addLiteral(qr.operators + "\nf")
    canvas.restoreState()


def _draw_fitted(  # noqa: PLR0913, PLR0917 - text has face, size, place, room
    canvas: Canvas, text: str, face: str, size: float, x: float, y: float, room: float
) -> None:
    """Draw on one line, smaller where it must be: a cut serial would be a wrong serial."""
    width = pdfmetrics.stringWidth(text, face, size)
    canvas.setFont(face, size * min(1, room / width))
    canvas.drawString(x, y, text)


def _title(content: LabelContent) -> str:
    """Return the product's name where the font has all its letters, else the device id."""
    glyphs = _font(_BOLD).face.charToGlyph
    printable = all(ord(letter) in glyphs for letter in content.product_name)
    return content.product_name if printable else content.device_id


def _draw_artwork(canvas: Canvas) -> None:
    """Draw what all labels share, once, as a form that each label shows again."""
    canvas.beginForm(_ARTWORK, 0, 0, _WIDTH, _HEIGHT)
    _draw_captions(canvas)
    _draw_cut(canvas)
    _draw_foil(canvas)
    canvas.endForm()


def _draw_captions(canvas: Canvas) -> None:
    canvas.setFillColor(_QUIET)
    canvas.setFont(_PLAIN, 5.6)
    for caption, height in _FIELDS:
        canvas.drawString(_TEXT_LEFT, height, caption)
    canvas.setFont(_PLAIN, 6.6)
    canvas.drawCentredString(_MARGIN + _QR_SIDE / 2, _QR_BOTTOM - 4.3 * mm, "Scan to set up")
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.5)
    canvas.line(_TEXT_LEFT, 54.8 * mm, _TEXT_LEFT + _TEXT_WIDTH, 54.8 * mm)


def _draw_cut(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setDash(3, 2.4)
    canvas.line(0, _CUT, _WIDTH, _CUT)
    canvas.restoreState()


def _draw_foil(canvas: Canvas) -> None:
    _draw_lines(canvas, _BOLD, _MARGIN, ("Claim code",), 14 * mm, _INK, 7.2)
    _draw_lines(canvas, _PLAIN, _MARGIN, ("Scratch here,", "type it once."), 10.9 * mm, _QUIET, 6)
    canvas.saveState()
    panel = canvas.beginPath()
    panel.roundRect(_FOIL_LEFT, _FOIL_BOTTOM, _FOIL_WIDTH, _FOIL_HEIGHT, 2 * mm)
    canvas.clipPath(panel, stroke=0, fill=0)
    canvas.setFillColor(_FOIL)
    canvas.rect(_FOIL_LEFT, _FOIL_BOTTOM, _FOIL_WIDTH, _FOIL_HEIGHT, stroke=0, fill=1)
    canvas.setStrokeColor(_HATCH)
    canvas.setLineWidth(0.7)
    for step in range(-6, 22):
        x = _FOIL_LEFT + step * 2.4 * mm
        canvas.line(x, _FOIL_BOTTOM, x + _FOIL_HEIGHT, _FOIL_BOTTOM + _FOIL_HEIGHT)
    canvas.restoreState()
    warning = ("Foil missing or scratched? Do not use the device.", "Report it to your seller.")
    _draw_lines(canvas, _PLAIN, _MARGIN, warning, 4.2 * mm, _QUIET, 5.6)


def _draw_lines(  # noqa: PLR0913, PLR0917 - text has a face, size, colour and place
    canvas: Canvas, face: str, x: float, lines: tuple[str, ...], y: float, colour: HexColor, size: float
) -> None:
    canvas.setFillColor(colour)
    canvas.setFont(face, size)
    for line in lines:
        canvas.drawString(x, y, line)
        y -= size * 1.35
