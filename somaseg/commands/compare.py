"""`somaseg compare`: the conditions of a study, on assembloid or line means."""

import argparse

from somaseg.commands.telling import tell

_LEVELS = ("line", "assembloid", "movie", "cell")


def add_to(verbs):
    compare = verbs.add_parser(
        "compare",
        help="compare the conditions of a study, counted on lines or assembloids",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compare groups of analyzed movies. STUDY.csv lists them, one a row, with the columns\n"
        "movie (path of a result folder, relative to STUDY.csv), assembloid, line, condition,\n"
        "and pair, if lines come in isogenic pairs or batches.\n"
        "Writes comparison.csv, comparison.json, units.csv and a SuperPlot of each quantity (PNG, SVG).\n"
        "The test counts lines where each condition has two or more, else assembloids; never cells.",
        epilog="example: somaseg simulate --study ts --tables-only -o study/\n"
        "         somaseg compare study/study.csv -o comparison/",
    )
    compare.add_argument("study", metavar="STUDY.csv", help="table of the movies")
    compare.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the comparison")
    compare.add_argument(
        "--results", metavar="DIR", help="folder that the paths of movies start from (default: that of STUDY.csv)"
    )
    compare.add_argument(
        "--reference", metavar="NAME", help="condition to compare the others with (default: the first of STUDY.csv)"
    )
    compare.add_argument(
        "--level",
        choices=("auto", "line", "assembloid"),
        default="auto",
        help="what the test counts (default: lines where each condition has two or more, else assembloids)",
    )
    pairs = compare.add_mutually_exclusive_group()
    pairs.add_argument(
        "--paired",
        action="store_true",
        default=None,
        help="compare within pairs (default: where there is a column pair, or every line is in both conditions)",
    )
    pairs.add_argument("--unpaired", action="store_false", dest="paired", help="never compare within pairs")
    compare.add_argument("--confidence", type=float, default=0.95, help="level of the intervals (default: %(default)s)")
    compare.add_argument(
        "--quantity",
        action="append",
        metavar="NAME",
        help="compare only this column of cells.csv; may be given several times (default: all)",
    )
    compare.add_argument("--no-models", action="store_true", help="leave out the mixed model and the count model")
    compare.add_argument("--overwrite", action="store_true", help="replace a comparison that is there")
    compare.add_argument("--quiet", action="store_true", help="no progress bar")
    compare.set_defaults(run=run)


def run(options):
    from tqdm import tqdm

    from somaseg.folders import refuse_existing
    from somaseg.migration.groups.comparing import GroupParameters, compare_groups
    from somaseg.migration.groups.comparison_files import COMPARISON_FILES, write_comparison
    from somaseg.migration.groups.study_tables import read_study
    from somaseg.report.group_plots import save_superplots

    if not options.overwrite:
        refuse_existing(options.output, COMPARISON_FILES)
    parameters = GroupParameters(
        reference=options.reference,
        level=options.level,
        paired=options.paired,
        confidence=options.confidence,
        quantities=tuple(options.quantity) if options.quantity else None,
        models=not options.no_models,
    )
    study = read_study(options.study, results=options.results)
    with tqdm(unit="quantity", disable=options.quiet or None) as bar:

        def progress(done, total):
            bar.total = total
            bar.update(done - bar.n)

        comparison = compare_groups(study, parameters, progress=progress)
    write_comparison(
        options.output,
        comparison,
        overwrite=options.overwrite,
        write_more=lambda folder: save_superplots(folder, comparison),
    )
    for line in told(comparison):
        tell(line)
    tell(f"wrote {options.output}/comparison.csv, comparison.json, units.csv and superplot_*.png, .svg")
    return 0


def told(comparison):
    """What is printed of a comparison: n at each level, then a line for each test, then the warnings."""
    from somaseg.migration.groups.comparing import ratio_in_words
    from somaseg.migration.groups.quantities import quantity

    if comparison.study.simulated:
        yield "Simulated study."
    for group in comparison.groups.to_dict("records"):
        yield (
            f"{group['condition']}: "
            + ", ".join(f"{group[name + 's']} {name}{'s' * (group[name + 's'] != 1)}" for name in _LEVELS)
            + f", {group['observed_h']:.4g} h; a frame every {_minutes(group['minutes_per_frame'])}"
        )
    percent = f"{100 * comparison.parameters.confidence:g} %"
    for (condition, reference), rows in comparison.table.groupby(["condition", "reference"], sort=False):
        first = rows.iloc[0]
        counted = f"{first['n_units']} and {first['n_units_reference']} {first['level']} means"
        if first["paired_by"]:
            counted = f"{first['n_units']} pairs of {first['level']} means"
        yield f"{condition} against {reference}, {first['test']} on {counted}, intervals {percent}:"
        width = rows["label"].str.len().max()
        for row in rows.to_dict("records"):
            interval = (
                f" (a frame every {_minutes(row['minutes_per_frame'])})" if quantity(row["quantity"]).saltations else ""
            )
            yield (
                f"  {row['label']:{width}}  {row['mean']:.4g} against {row['reference_mean']:.4g} {row['unit']}"
                f"{interval}, ratio {ratio_in_words(row)}"
            )
    tests = int(comparison.table["p_value"].notna().sum())
    if tests > 1:
        yield (
            f"{tests} tests: of {tests} without any difference, about {0.05 * tests:.1g} would still have p < 0.05; "
            "p_value_holm in comparison.csv allows for that. Name the quantity that decides before you look."
        )
    per_row = dict.fromkeys(text for texts in comparison.table["warnings"] for text in texts.split(" | ") if text)
    for text in [*comparison.warnings, *per_row]:
        yield f"warning: {text}"


def _minutes(value):
    return f"{value:g} min" if isinstance(value, float) else f"{value or 'unknown'} min"
