"""Ask a served somaseg model about one image file, with nothing but Python's standard library.

    python examples/serving/client.py localhost:8501 soma image.png

The file goes as it is: the server decodes it, stretches its contrast and runs the network. What comes back is the
probability of soma for each pixel; `somaseg segment --server` makes outlines of it.
"""

import base64
import json
import sys
import urllib.request
from pathlib import Path


def ask(server, model, image):
    """The probabilities of an image file: H lists of W numbers."""
    content = base64.b64encode(Path(image).read_bytes()).decode()
    request = {"signature_name": "encoded", "instances": [{"image_bytes": {"b64": content}}]}
    url = f"http://{server}/v1/models/{model}:predict"
    post = urllib.request.Request(url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(post, timeout=120) as answer:
        (maps,) = json.load(answer)["predictions"]
    rows = maps["probability"] if isinstance(maps, dict) else maps  # a model of one map gives it without a name
    return [[pixel[0] for pixel in row] for row in rows]


if __name__ == "__main__":
    probability = ask(*sys.argv[1:4])
    soma = sum(value > 0.5 for row in probability for value in row)
    print(f"{len(probability)} x {len(probability[0])} pixels, {soma} of them soma")
