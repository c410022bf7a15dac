"""Which text on a page no reader can see: invisible, far too small, white on white, off the page. Runs in the child."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

SMALLEST = 1.0  # points; smaller letters cannot be read
WHITE = 245  # of 255; what is at least this in red, green and blue cannot be told from paper
OBJECTS = 20_000  # looked at for a backdrop; a page with more is taken to have one everywhere
DEEPEST = 8  # forms inside forms
SCAN_SHARE = 0.1  # of the page; a smaller picture does not make invisible text a recognised scan

Matrix = tuple[float, float, float, float, float, float]
Area = tuple[float, float, float, float]  # left, bottom, right, top; PDF points of the page's own space
_IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Shape:
    """Something drawn that is not text."""

    order: int  # rises in drawing order
    image: bool
    area: Area

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""
        left, bottom, right, top = self.area
        return left <= x <= right and bottom <= y <= top


class Backdrop:
    """What is drawn on a page besides text. Looked for only once it is asked about."""

    def __init__(self, page: Any, area: float) -> None:  # noqa: ANN401 - a pdfium handle
        self._page = page
        self._page_area = area
        self._shapes: list[Shape] | None = None
        self._texts: dict[int, int] = {}

    def scanned(self, x: float, y: float) -> bool:
        """Whether a picture large enough to be a scan lies at the point."""
        return any(
            shape.image and shape.holds(x, y) and _size(shape.area) >= SCAN_SHARE * self._page_area
            for shape in self._all()
        )

    def behind(self, text: int | None, x: float, y: float) -> bool:
        """Whether something that is not white was drawn at the point before the text object with this address."""
        shapes = self._all()
        order = self._texts.get(text or 0)
        if order is None:
            return True
        return any(shape.order < order and shape.holds(x, y) for shape in shapes)

    def pictures(self) -> bool:
        """Whether the page has an image at all."""
        return any(shape.image for shape in self._all())

    def _all(self) -> list[Shape]:
        if self._shapes is None:
            self._shapes = []
            for order, (handle, kind, matrix) in enumerate(_objects(self._page)):
                if order >= OBJECTS:
                    break
                self._note(order, handle, kind, matrix)
        return self._shapes

    def _note(self, order: int, handle: Any, kind: int, matrix: Matrix) -> None:  # noqa: ANN401
        assert self._shapes is not None
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            self._texts[address(handle)] = order
            return
        area = _bounds(handle, matrix)
        if area and not (kind == pdfium.FPDF_PAGEOBJ_PATH and not _coloured(handle)):
            self._shapes.append(Shape(order, kind == pdfium.FPDF_PAGEOBJ_IMAGE, area))


def address(handle: Any) -> int:  # noqa: ANN401 - a pdfium handle
    """A number that names the object behind a handle."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def _objects(page: Any) -> Iterator[tuple[Any, int, Matrix]]:  # noqa: ANN401
    for index in range(pdfium.FPDFPage_CountObjects(page)):
        yield from _inside(pdfium.FPDFPage_GetObject(page, index), _IDENTITY, 0)


def _inside(handle: Any, matrix: Matrix, depth: int) -> Iterator[tuple[Any, int, Matrix]]:  # noqa: ANN401
    kind = pdfium.FPDFPageObj_GetType(handle)
    if kind != pdfium.FPDF_PAGEOBJ_FORM:
        yield handle, kind, matrix
        return
    own = pdfium.FS_MATRIX()
    if depth >= DEEPEST or not pdfium.FPDFPageObj_GetMatrix(handle, own):
        return
    inner = _times((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
    for index in range(pdfium.FPDFFormObj_CountObjects(handle)):
        yield from _inside(pdfium.FPDFFormObj_GetObject(handle, index), inner, depth + 1)


def _times(m: Matrix, n: Matrix) -> Matrix:
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


def _bounds(handle: Any, m: Matrix) -> Area | None:  # noqa: ANN401
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(handle, left, bottom, right, top):
        return None
    corners = [
        (x * m[0] + y * m[2] + m[4], x * m[1] + y * m[3] + m[5])
        for x in (left.value, right.value)
        for y in (bottom.value, top.value)
    ]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _coloured(path: Any) -> bool:  # noqa: ANN401
    """Whether a path leaves a mark that is not white. A pattern counts as one."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(path, fill, stroke):
        return True
    if fill.value and not white(pdfium.FPDFPageObj_GetFillColor, path):
        return True
    return bool(stroke.value) and not white(pdfium.FPDFPageObj_GetStrokeColor, path)


def white(ask: Any, *handle: Any) -> bool:  # noqa: ANN401 - one of pdfium's questions for a colour
    """Whether the answer is a colour that cannot be told from paper, or one that lets everything through."""
    red, green, blue, opaque = (ctypes.c_uint() for _ in range(4))
    if not ask(*handle, red, green, blue, opaque):
        return False
    return opaque.value == 0 or min(red.value, green.value, blue.value) >= WHITE


def _size(area: Area) -> float:
    return max(area[2] - area[0], 0.0) * max(area[3] - area[1], 0.0)
