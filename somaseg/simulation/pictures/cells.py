"""Where the somas of a simulated still lie and what shape they have.

Nothing is drawn here; `somaseg.simulation.pictures.drawing` turns these records into light. Coordinates are
(y, x) in pixels with pixel centres at whole numbers; directions are degrees, 0 to the right,
counter-clockwise as seen on screen.
"""

from dataclasses import dataclass, replace

import numpy as np

from somaseg.simulation.pictures.parameters import StillParameters
from somaseg.simulation.pictures.processes import Process

_PLACING_TRIES = 30


@dataclass(frozen=True, eq=False)
class Cell:
    """One drawn cell. `label` is its id in the instances, 0 when it is not in the truth.

    The outline is an ellipse of full axes `length_um` and `width_um` about `centre_px`, dented by
    `dents`: cosine and sine terms k = 1, 2, ... of the relative radius, scaled so that the area
    stays the ellipse's.
    `direction_deg` is that of the leading end, `depth_um` the signed distance from focus (a larger
    one lies further from the objective), `blur_um` the resulting sigma. `touches` is the index of
    the earlier cell that this one was placed against.
    """

    centre_px: tuple[float, float]
    length_um: float
    width_um: float
    direction_deg: float
    dents: tuple[tuple[float, float], ...]
    depth_um: float
    blur_um: float
    in_focal_slab: bool
    peak_photons: float
    processes: tuple[Process, ...] = ()
    touches: int | None = None
    label: int = 0

    def outline_level(self, y, x, *, um_per_px: float) -> np.ndarray:
        """Relative distance from the centre, 1 on the outline, below 1 inside, at (y, x) in px."""
        along, across = _axes(self.direction_deg)
        dy, dx = y - self.centre_px[0], x - self.centre_px[1]
        u = (dy * along[0] + dx * along[1]) * (2 * um_per_px / self.length_um)
        v = (dy * across[0] + dx * across[1]) * (2 * um_per_px / self.width_um)
        level = np.sqrt(u * u + v * v)
        if not self.dents:
            return level
        away = np.maximum(level, 1e-6)
        cosine, sine = u / away, v / away
        # cos(k t) and sin(k t) follow from those of t, which spares the slow functions per pixel.
        c, s, radius = cosine, sine, 1.0
        for along_k, across_k in self.dents:
            radius = radius + along_k * c + across_k * s
            c, s = c * cosine - s * sine, s * cosine + c * sine
        return level * _area_scale(self.dents) / radius

    def radius_px(self, towards_deg: float, *, um_per_px: float) -> float:
        """Distance in px from the centre to the outline in one direction."""
        step = _axes(towards_deg)[0]
        level = self.outline_level(self.centre_px[0] + step[0], self.centre_px[1] + step[1], um_per_px=um_per_px)
        return 1.0 / float(level)


def place_cells(parameters: StillParameters, rng: np.random.Generator) -> list[Cell]:
    """Draw the somas of one still, without processes: first to last as they were placed."""
    axis_deg = rng.uniform(0.0, 360.0)
    cells: list[Cell] = []
    for _ in range(_count(parameters.cell_count, rng)):
        cell, partner_wish = _draw_soma(parameters, axis_deg, rng), rng.random()
        partners = [index for index, other in enumerate(cells) if other.in_focal_slab]
        if cell.in_focal_slab and partners and partner_wish < parameters.touching_fraction:
            placed = _place_against(cell, cells, partners, parameters, rng)
        else:
            placed = _place_freely(cell, cells, parameters, rng)
        if placed is not None:
            cells.append(placed)
    return cells


def _count(mean_or_range, rng):
    if isinstance(mean_or_range, tuple):
        return int(rng.integers(mean_or_range[0], mean_or_range[1] + 1))
    return int(rng.poisson(mean_or_range))


def _draw_soma(p, axis_deg, rng):
    sizes = 1.0 + p.soma_size_cv * np.clip(rng.standard_normal(2), -2.0, 2.0)
    stretch = rng.uniform(1.2, 1.5) if rng.random() < p.stretched_fraction else 1.0
    length, width = p.soma_length_um * sizes[0] * stretch, p.soma_width_um * sizes[1]
    heading = axis_deg + p.heading_spread_deg * rng.standard_normal()
    if p.heading_spread_deg == 180.0:
        heading = rng.uniform(0.0, 360.0)
    dents = tuple(tuple(float(term) for term in rng.normal(0.0, p.soma_irregularity / k, 2)) for k in (1, 2, 3, 4))
    in_focal_slab = bool(rng.random() >= p.out_of_focus_fraction)
    slab_depth = p.depth_sd_um * rng.standard_normal()
    far_depth = rng.uniform(*p.out_of_focus_um) * rng.choice((-1.0, 1.0))
    depth = float(slab_depth if in_focal_slab else far_depth)
    spread = np.sqrt(np.log1p(p.brightness_cv**2))
    brightness = np.exp(spread * np.clip(rng.standard_normal(), -2.5, 2.5))
    return Cell(
        centre_px=(0.0, 0.0),
        length_um=float(max(length, width)),
        width_um=float(min(length, width)),
        direction_deg=float(heading % 360.0),
        dents=dents if p.soma_irregularity else (),
        depth_um=depth,
        blur_um=float(p.psf_sigma_um + p.defocus_per_um * abs(depth)),
        in_focal_slab=in_focal_slab,
        peak_photons=float(brightness * p.photons_at_soma_peak),
    )


def _place_freely(cell, cells, p, rng):
    margin = 0.4 * p.soma_length_um / p.um_per_px
    size = np.array([p.height_px, p.width_px]) - 1.0
    for _ in range(_PLACING_TRIES):
        moved = _moved(cell, rng.uniform(-margin, size + margin))
        if not cell.in_focal_slab or not any(_is_near(moved, other, p) for other in cells):
            return moved
    return None


def _place_against(cell, cells, partners, p, rng):
    """Put the cell where the outlines meet on the line between the two centres, or overlap."""
    size = np.array([p.height_px, p.width_px]) - 1.0
    for _ in range(_PLACING_TRIES):
        index = int(rng.choice(partners))
        other, towards = cells[index], rng.uniform(0.0, 360.0)
        reach = other.radius_px(towards, um_per_px=p.um_per_px)
        # Neighbours in a chain lie roughly in parallel.
        heading = other.direction_deg + 25.0 * rng.standard_normal()
        turned = replace(cell, direction_deg=float(heading % 360.0))
        reach += turned.radius_px(towards + 180.0, um_per_px=p.um_per_px)
        centre = other.centre_px + rng.uniform(0.75, 0.98) * reach * _axes(towards)[0]
        moved = _moved(turned, centre, touches=index)
        bystanders = [c for i, c in enumerate(cells) if i != index]
        inside = np.all(centre >= 0) and np.all(centre <= size)
        if inside and not any(_is_near(moved, c, p) for c in bystanders):
            return moved
    return None


def _is_near(cell, other, p):
    """Whether two somas of the focal slab could touch, judged by their longest radii."""
    reach = 0.55 * (cell.length_um + other.length_um) / p.um_per_px + 2.0
    distance = np.hypot(*np.subtract(cell.centre_px, other.centre_px))
    return bool(other.in_focal_slab and distance < reach)


def _moved(cell, centre, touches=None):
    return replace(cell, centre_px=(float(centre[0]), float(centre[1])), touches=touches)


def _axes(direction_deg):
    """Unit vectors (y, x) along a direction and a quarter turn from it."""
    angle = np.deg2rad(direction_deg)
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([-sine, cosine]), np.array([cosine, sine])


def _area_scale(dents):
    """The rms radius of the dented unit circle: dividing by it keeps the ellipse's area."""
    return np.sqrt(1.0 + sum(cosine**2 + sine**2 for cosine, sine in dents) / 2.0)
