"""`somaseg presets`: the list of the shipped presets."""

from somaseg.commands.telling import tell


def add_to(verbs):
    presets = verbs.add_parser("presets", help="list the shipped presets")
    presets.set_defaults(run=run, framework=True)


def run(options):
    from somaseg.models import presets

    for name in presets.list_presets():
        folder = presets.find_preset(name)
        tell(f"{name:12} {presets.read_metadata(folder).get('description', '')}")
    return 0
