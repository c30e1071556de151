"""One look for all plots, and a figure as SVG or PNG: sober, colour-blind safe, legible when shrunk to a phone.

Colours are those of Okabe and Ito (Color Universal Design, 2008), each with one meaning throughout a report. Figures
are made without `matplotlib.pyplot`, so that nothing global is left behind.
"""

import io

from somaseg.files import replace_when_whole

BLACK, GREY, LIGHT_GREY = "#000000", "#767676", "#d9d9d9"
ORANGE, SKY_BLUE, GREEN, BLUE, VERMILLION, PURPLE = "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7"
# What a colour means.
MEASURED, SALTATION, FIT, STILL, SPREAD = BLUE, VERMILLION, VERMILLION, GREY, SKY_BLUE

_WIDTH_IN, _HEIGHT_IN = 4.8, 3.5
_PNG_DPI = 200
# Beyond this many points, a line is a picture inside the SVG: a path of a million points opens nowhere.
_MOST_VECTOR_POINTS = 20_000
_SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "somaseg"}


def new_figure(*, width_in=_WIDTH_IN, height_in=_HEIGHT_IN):
    """An empty `matplotlib.figure.Figure` that draws with Agg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure, *, xlabel, ylabel, **options):
    """The only axes of `figure`, without the box about it; `options` as `Figure.add_subplot` takes them."""
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel, **options)
    tidy(axes)
    return axes


def tidy(axes):
    """Take the upper and right border off, and put a faint grid behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LIGHT_GREY, linewidth=0.6)
    axes.set_axisbelow(True)


def too_many_for_vectors(points):
    """Whether so many points should be drawn as a picture within the SVG (the keyword `rasterized` of an artist)."""
    return points > _MOST_VECTOR_POINTS


def svg_text(figure):
    """The figure as SVG text with editable letters; the same figure gives the same text."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    _lay_out(figure)
    content = io.BytesIO()
    with matplotlib.rc_context(_SVG_SETTINGS):
        FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None, "Creator": "somaseg"})
    return content.getvalue().decode()


def save_figure(figure, stem):
    """Write `stem`.png (200 dots per inch) and `stem`.svg, each whole or not at all; returns the two paths."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    png, svg = (stem.with_name(stem.name + ending) for ending in (".png", ".svg"))
    _lay_out(figure)
    with replace_when_whole(png) as partial:
        FigureCanvasAgg(figure).print_png(partial, metadata={"Software": "somaseg"})
    with replace_when_whole(svg) as partial:
        partial.write_text(svg_text(figure), encoding="utf-8")
    return png, svg


def _lay_out(figure):
    """Lay the figure out once and for all; `Figure.savefig` would do it, and draw everything twice, for each file."""
    figure.set_dpi(_PNG_DPI)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
