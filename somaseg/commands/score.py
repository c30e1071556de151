"""`somaseg score`: a result folder against the truth."""

from somaseg.commands.telling import tell


def add_to(verbs):
    score = verbs.add_parser(
        "score",
        help="how right a result is, against a known truth",
        description="Compare two result folders of the same movie: outlines (AP, SEG, IoU), detection and linking "
        "(DET, LNK, TRA, HOTA, IDF1) and, where both have cells.csv, what the cells did (saltation frequency and "
        "length, speeds, pause fraction, direction), cell by cell and pooled. Prints a table; -o also writes "
        "scores.json and cell_errors.csv. Needs the extra: pip install 'somaseg[score]'.",
        epilog="example: somaseg simulate -o truth/ && somaseg score result/ truth/",
    )
    score.add_argument("result", metavar="RESULT", help="folder of the result")
    score.add_argument("truth", metavar="TRUTH", help="folder of the truth, such as `somaseg simulate` writes")
    score.add_argument("-o", "--output", metavar="DIR", help="folder for scores.json and cell_errors.csv")
    score.add_argument("--overwrite", action="store_true", help="replace scores that are there")
    score.set_defaults(run=run)


def run(options):
    from somaseg.folders import refuse_existing
    from somaseg.migration.result_scores import SCORE_FILES, score_results, write_scores
    from somaseg.tracking import read_result

    if options.output:
        refuse_existing(options.output, SCORE_FILES, overwrite=options.overwrite)
    scores = score_results(read_result(options.result), read_result(options.truth))
    table = scores.to_frame()
    width = table["measure"].str.len().max()
    for part, rows in table.groupby("part", sort=False):
        tell(f"{part}")
        for name, value in zip(rows["measure"], rows["value"]):
            tell(f"  {name:{width}}  {value:.4g}" if isinstance(value, float) else f"  {name:{width}}  {value}")
    for note in scores.notes:
        tell(note)
    if options.output:
        write_scores(scores, options.output, overwrite=options.overwrite)
        tell(f"wrote {options.output}/scores.json")
    return 0
