"""`somaseg simulate`: movies of migrating interneurons whose truth is known."""

import argparse
import json
from pathlib import Path

from somaseg.commands.telling import tell

_PRESET = "typical"


def add_to(verbs):
    simulate = verbs.add_parser(
        "simulate",
        help="a simulated movie with known truth, or a study of them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Make a simulated movie of migrating interneurons: movie.tif and, beside it, what is true of it\n"
        "in the files of a result (labels.tif, tracks.csv, cells.csv, saltations.csv, drift.csv, states.csv, ctc/),\n"
        "so that `somaseg score RESULT DIR` tells how right an analysis of it is. sheet.png shows some frames.",
        epilog="presets: easy, typical, dense, dim, fast_sampling (5 min), slow_sampling (20 min), ts_like and\n"
        "control (a pair), random_walk, arrested, blank\n"
        "studies: ts (control and ts_like), null (two groups that are the same)\n\n"
        "examples: somaseg simulate --preset typical --seed 1 -o simulated/\n"
        "          somaseg simulate --set motion.saltation_rate_per_h=0.5 --set bit_depth=8 -o slow/\n"
        "          somaseg simulate --study ts --tables-only -o study/",
    )
    simulate.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the movie or the study")
    simulate.add_argument("--preset", help=f"what kind of movie (default: {_PRESET})")
    simulate.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same movie (default: %(default)s)"
    )
    simulate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change one parameter of the preset, such as um_per_px=0.5 or motion.arrested_fraction=0; a range is "
        "[low,high]. An unknown name lists them all. May be given several times",
    )
    simulate.add_argument("--rgb", action="store_true", help="also movie_rgb.tif, green on black, 8 bits")
    simulate.add_argument("--avi", action="store_true", help="also movie.avi, compressed, to look at")
    simulate.add_argument("--study", metavar="NAME", help="instead of one movie: conditions x lines x assembloids")
    simulate.add_argument("--lines", type=int, metavar="N", help="with --study: lines per condition (default: 3)")
    simulate.add_argument("--assembloids", type=int, metavar="N", help="with --study: per line (default: 3)")
    simulate.add_argument("--movies", type=int, metavar="N", help="with --study: per assembloid (default: 1)")
    simulate.add_argument(
        "--tables-only", action="store_true", help="with --study: no pictures, only the true tables; far quicker"
    )
    simulate.add_argument("--overwrite", action="store_true", help="replace a movie that is there")
    simulate.add_argument("--quiet", action="store_true", help="no progress bar")
    simulate.set_defaults(run=run)


def run(options):
    _check_combination(options)
    return _simulate_study(options) if options.study else _simulate_movie(options)


def _simulate_movie(options):
    from tqdm import tqdm

    from somaseg.folders import refuse_existing
    from somaseg.report.movie_sheet import save_simulated_movie_sheet
    from somaseg.simulation.movie_presets import preset
    from somaseg.simulation.movie_saving import save_movie
    from somaseg.simulation.movies import simulate_movie
    from somaseg.tracking.results import RESULT_FILES

    name = options.preset or _PRESET
    parameters = preset(name).changed(_changes(options.set))
    refuse_existing(options.output, RESULT_FILES, overwrite=options.overwrite)
    with tqdm(total=parameters.frame_count, unit="frame", disable=options.quiet or None) as bar:
        movie = simulate_movie(parameters, seed=options.seed, progress=lambda done, _: bar.update(done - bar.n))
    save_movie(movie, options.output, rgb=options.rgb, avi=options.avi, overwrite=options.overwrite, preset=name)
    sheet = Path(options.output) / "sheet.png"
    save_simulated_movie_sheet(movie, sheet, name=name)
    tell(
        f"simulated {name}, seed {options.seed}: {len(movie.frames)} frames, "
        f"{int(movie.visible.any(axis=1).sum())} cells seen. Look at {sheet}"
    )
    return 0


def _simulate_study(options):
    from dataclasses import replace

    from tqdm import tqdm

    from somaseg.simulation.studies import simulate_study, study

    sizes = {name: getattr(options, name) for name in ("lines", "assembloids", "movies")}
    design = replace(study(options.study), **{name: size for name, size in sizes.items() if size is not None})
    with tqdm(unit="movie", disable=options.quiet or None) as bar:

        def progress(done, total):
            bar.total = total
            bar.update(done - bar.n)

        table = simulate_study(
            design, options.output, seed=options.seed, pictures=not options.tables_only, progress=progress
        )
    tell(f"simulated study {options.study}, seed {options.seed}: {len(table)} movies, see {options.output}/study.csv")
    return 0


def _check_combination(options):
    alone = {"--preset": options.preset, "--set": options.set, "--rgb": options.rgb, "--avi": options.avi}
    alone["--overwrite"] = options.overwrite
    studies = {"--lines": options.lines, "--assembloids": options.assembloids, "--movies": options.movies}
    studies["--tables-only"] = options.tables_only
    wrong = alone if options.study else studies
    given = [name for name, value in wrong.items() if value not in (None, False, [])]
    if given:
        raise ValueError(f"{given[0]} does not go {'with' if options.study else 'without'} --study.")


def _changes(texts):
    """{"motion.axis_deg": 30.0, ...} from the NAME=VALUE that were given."""
    changes = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise ValueError(f"--set takes NAME=VALUE, got {text!r}.")
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    return changes
