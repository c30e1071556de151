"""What a training run keeps on disk after every epoch, whole at any moment: it can be killed and goes on from there."""

import csv
import io
import json
import time
from pathlib import Path

import keras
import numpy as np

from somaseg.files import replace_when_whole

BEST_BY = "val_iou"


class Checkpoints(keras.callbacks.Callback):
    """After every epoch: weights, optimizer and random state, the best network, history.csv and curves.png."""

    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder) / "checkpoints"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run = Path(folder)
        self.state = {"last": None, "best": None, "best_epoch": None, "history": []}
        if (self.folder / "state.json").exists():
            self.state = json.loads((self.folder / "state.json").read_text())

    @property
    def history(self):
        return self.state["history"]

    def restore(self, trainer):
        """Put `trainer` where the last whole epoch left it; nothing to do in a new run."""
        if self.state["last"]:
            with np.load(self.folder / self.state["last"]) as arrays:
                variables = _state_variables(trainer)
                if len(arrays.files) != len(variables):
                    raise ValueError(
                        f"{self.folder / self.state['last']} holds {len(arrays.files)} variables, this training "
                        f"has {len(variables)}: it belongs to another network. Use another folder."
                    )
                for i, variable in enumerate(variables):
                    variable.assign(arrays[str(i)])

    def load_best(self, network):
        """Give `network` the weights of the best epoch."""
        network.load_weights(self.folder / self.state["best"])

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.time()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{key: float(value) for key, value in logs.items()}}
        row["seconds"] = round(time.time() - self.started, 1)
        state = {**self.state, "history": [*self.history, row], "last": f"last-{epoch + 1:04d}.npz"}
        with replace_when_whole(self.folder / state["last"]) as partial, open(partial, "wb") as file:
            np.savez(file, **{str(i): np.asarray(v) for i, v in enumerate(_state_variables(self.model))})
        if self.state["best"] is None or row[BEST_BY] > max(r[BEST_BY] for r in self.history):
            state.update(best=f"best-{epoch + 1:04d}.weights.h5", best_epoch=epoch + 1)
            with replace_when_whole(self.folder / state["best"]) as partial:
                self.model.network.save_weights(partial)
        with replace_when_whole(self.folder / "state.json") as partial:
            partial.write_text(json.dumps(state))
        self.state = state
        for path in self.folder.iterdir():  # older epochs, and what a killed process left half written
            if path.name not in ("state.json", state["last"], state["best"]):
                path.unlink()
        self._write_history()
        if len(self.history) % 10 == 0:
            self.draw_curves()

    def on_train_end(self, logs=None):
        self.draw_curves()

    def _write_history(self):
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(self.history[0]))
        writer.writeheader()
        writer.writerows(self.history)
        with replace_when_whole(self.run / "history.csv") as partial:
            partial.write_text(text.getvalue())

    def draw_curves(self):
        """Save curves.png."""
        from somaseg.report.curves import plot_curves

        plot_curves(self.history, self.run / "curves.png")


def _state_variables(trainer):
    """Everything that the next step depends on: weights, statistics, random state, optimizer."""
    metrics = {id(variable) for metric in trainer.metrics for variable in metric.variables}
    return [v for v in trainer.variables if id(v) not in metrics] + trainer.optimizer.variables
