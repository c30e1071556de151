"""Pictures of a training: loss and IoU by epoch."""

from somaseg.files import replace_when_whole


def plot_curves(history, path, title=""):
    """Save loss and IoU against the epoch as a PNG.

    Args:
        history: list of dicts with "epoch", "loss", "val_loss", "iou", "val_iou".
        path: where the PNG goes.
        title: str, written above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [row["epoch"] for row in history]
    for axes, key, label in zip(figure.subplots(1, 2), ("loss", "iou"), ("loss", "IoU per image")):
        axes.plot(epochs, [row[key] for row in history], label="training")
        axes.plot(epochs, [row[f"val_{key}"] for row in history], label="validation")
        axes.set(xlabel="epoch", ylabel=label)
        if key == "loss":
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    with replace_when_whole(path) as partial:
        figure.savefig(partial, dpi=120, format="png")
