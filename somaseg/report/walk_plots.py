"""Plots of the random walk that migration is over hours: mean squared displacement with its fit, and how long a
direction is kept."""

import numpy as np

from somaseg.report.plot_style import BLACK, FIT, MEASURED, new_axes, new_figure

_LEAST_SHARE_OF_PAIRS = 0.1


def draw_msd(migration, result):
    """Mean squared displacement against the lag, both logarithmic, with the Fuerth fit; None without a lag.

    Where there is a fit it is drawn as a line over the lags that it was made on.
    """
    curve = migration.curves.get("msd")
    curve = None if curve is None else curve[(curve["lag_min"] > 0) & (curve["msd_um2"] > 0)]
    if curve is None or curve.empty:
        return None
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = new_figure()
    axes = new_axes(figure, xlabel="lag (min)", ylabel="mean squared displacement (µm²)", xscale="log", yscale="log")
    axes.plot(curve["lag_min"], curve["msd_um2"], "o", color=MEASURED, markersize=3.5, label="measured")
    speed, persistence = (migration.summary.get(name) for name in ("fuerth_speed_um_per_h", "fuerth_persistence_min"))
    fitted = curve.dropna(subset=["fit_um2"]) if "fit_um2" in curve else curve.iloc[:0]
    if len(fitted):
        fitted = fitted[fitted["lag_min"] <= (migration.summary.get("fuerth_longest_lag_min") or np.inf)]
        words = "Fuerth fit"
        if speed is not None and persistence is not None:
            words += f": S = {speed:.3g} µm/h, P = {persistence:.3g} min"
        axes.plot(fitted["lag_min"], fitted["fit_um2"], color=FIT, linewidth=2, label=words)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8)
    return figure


def draw_direction_autocorrelation(migration, result):
    """Mean cosine of the angle between steps a lag apart; None without a lag above 0, at which it is always 1.

    Lags with less than a tenth of the pairs of steps that the commonest lag has are left out.
    """
    curve = migration.curves.get("direction_autocorrelation")
    if curve is None:
        return None
    curve = curve[curve["n"] >= _LEAST_SHARE_OF_PAIRS * curve["n"].max()].dropna(subset=["value"])
    if not (curve["lag_min"] > 0).any():
        return None
    figure = new_figure()
    axes = new_axes(figure, xlabel="lag (min)", ylabel="direction autocorrelation")
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.plot(curve["lag_min"], curve["value"], "o-", color=MEASURED, markersize=3.5)
    axes.set_ylim(min(-0.2, 1.1 * np.nanmin(curve["value"])), 1.05)
    return figure
