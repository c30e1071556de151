"""`somaseg evaluate`: predicted label images against true ones."""

from pathlib import Path

from somaseg.commands.telling import one_line, tell

OUTPUTS = ("scores.csv", "scores.json", "errors")


def add_to(verbs):
    evaluate = verbs.add_parser(
        "evaluate",
        help="how good label images are, against true ones",
        description="Compare predicted with true instances, image by image: AP at IoU .50 to .95, precision, recall, "
        "F1, PQ, SEG, IoU of the union masks, merges and splits. PRED and TRUTH are label images (TIFF, PNG, .npy; "
        "0 = background; of a stack each plane is an image) or folders of them, matched by name without suffix and "
        "_labels or _masks. Prints the scores; -o also writes scores.csv (one row per image), scores.json (all that is "
        "pooled, with the conventions) and errors/ (pictures of the worst images: missed, false, merged, split). "
        "For tracks and what cells did see `somaseg score`.",
        epilog="example: somaseg evaluate result/ truth/ -o scores --images images/",
    )
    evaluate.add_argument("prediction", metavar="PRED", help="label image or folder, such as `somaseg segment` writes")
    evaluate.add_argument("truth", metavar="TRUTH", help="label image or folder")
    evaluate.add_argument("-o", "--output", metavar="DIR", help="folder for the scores and pictures")
    evaluate.add_argument("--images", metavar="IMAGES", help="image, movie or folder, for the pictures")
    evaluate.add_argument("--worst", type=int, default=12, metavar="N", help="pictures drawn (default: %(default)s)")
    evaluate.add_argument("--overwrite", action="store_true", help="replace scores that are there")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    evaluate.set_defaults(run=run)


def run(options):
    from tqdm import tqdm

    from somaseg.folders import refuse_existing, whole_folder
    from somaseg.segmentation.evaluation import score_images, write_scores
    from somaseg.segmentation.label_files import pair_label_files, read_label_pairs

    if options.worst < 0:
        raise ValueError(f"--worst must be 0 or more, got {options.worst}.")
    if options.images and not options.output:
        raise ValueError("--images is for the pictures: give a folder for them with -o.")
    if options.output and not options.overwrite:
        refuse_existing(options.output, OUTPUTS)
    pairs, spare = pair_label_files(options.prediction, options.truth)
    pictures = _Pictures(pairs, options.images)
    with tqdm(total=len(pairs), unit="file", disable=options.quiet or None) as bar:
        scores = score_images(pictures.remember(read_label_pairs(pairs, progress=bar.update)))
    tell(scores)
    for note in _notes(scores, spare, pictures):
        tell(note)
    if options.output:
        from somaseg.report.error_panels import save_error_panels

        simulated = _is_simulated(options.truth)
        facts = {"prediction": options.prediction, "truth": options.truth, "simulated": simulated}
        with whole_folder(options.output, ours=OUTPUTS, overwrite=options.overwrite) as partial:
            write_scores(scores, partial, facts=facts)
            heading = "SIMULATED " if simulated else ""
            drawn = save_error_panels(scores, pictures.load, partial / "errors", count=options.worst, heading=heading)
        seen = f"Look at {options.output}/errors/*.png" if drawn else "No picture: nothing is wrong or none was wanted"
        tell(f"wrote {options.output}/scores.json. {seen}")
    return 0


class _Pictures:
    """Finds the labels and the image of each row of the scores again, without keeping them in memory."""

    def __init__(self, pairs, images):
        self._pairs = {name: (truth, prediction) for name, truth, prediction in pairs}
        self._images = _image_files(Path(images), list(self._pairs)) if images else {}
        self._rows, self.one_label = [], {"truth": set(), "prediction": set()}

    def remember(self, triples):
        """The same triples; which file and plane each came from is noted down."""
        planes = dict.fromkeys(self._pairs, 0)
        for shown, truth, prediction in triples:
            name = shown if shown in self._pairs else shown.rpartition(" plane ")[0]
            self._rows.append((name, planes[name]))
            planes[name] += 1
            for side, labels in (("truth", truth), ("prediction", prediction)):
                self.one_label[side] |= {int(labels.max())} if (labels[labels > 0] == labels.max()).all() else {-1}
            yield shown, truth, prediction

    def load(self, index):
        """(truth, prediction, image or None) of a row."""
        from somaseg.segmentation.label_files import read_labels

        name, plane = self._rows[index]
        labels = [read_labels(path) for path in self._pairs[name]]
        of_stack = labels[0].ndim == 3
        planes = [stack[plane] for stack in labels] if of_stack else labels
        return (*planes, self._image(name, plane if of_stack else None))

    def _image(self, name, plane):
        from somaseg.movies.reader import open_movie
        from somaseg.segmentation.reading import read_image

        path = self._images.get(name)
        if path is None:
            return None
        if plane is None:
            try:
                return read_image(path)
            except ValueError as error:
                tell(f"{one_line(error)} Its picture is drawn without it.")
                return None
        with open_movie(path, pixels=True) as movie:
            return movie.frame(plane)


def _image_files(path, names):
    """{name: path} of the images of the label files."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder.")
    if path.is_file():
        if len(names) > 1:
            raise ValueError(f"--images {path} is one file, there are {len(names)} label images. Give a folder.")
        return {names[0]: path}
    from somaseg.segmentation.batch import find_images

    found = {file.stem: file for file in find_images([path])}
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"--images {path}: no image named {missing[0]} ({len(missing)} of {len(names)} missing).")
    return found


def _notes(scores, spare, pictures):
    if spare:
        yield f"{len(spare)} predictions have no truth and were not scored, such as {spare[0]}."
    for side, values in pictures.one_label.items():
        if values - {0} == {255}:
            yield (
                f"Every {side} has 255 as its only label: these look like masks. Somas are told apart by their "
                "number, so that each mask counted as one soma."
            )
    if not scores.images["true"].any():
        yield "There is no soma in any truth."


def _is_simulated(truth):
    """Whether the run.json beside the truth says so, as in folders that `somaseg simulate` writes."""
    from somaseg.json_files import read_json

    folder = Path(truth) if Path(truth).is_dir() else Path(truth).parent
    return bool((read_json(folder / "run.json") or {}).get("simulated", False))
