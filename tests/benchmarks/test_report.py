"""The report holds all it shows, and shows text as text."""

import base64
import html.parser

from benchmarks import plots
from benchmarks.report import report
from benchmarks.tables import sections

EVIL = "\"><script>alert('&')</script>"
CELL = {
    "task": "task_one", "level": "feature", "fusion": "concat", "strategy": "joint", "seeds": 2,
    "metrics": {"accuracy": [0.8, 0.9]}, "parameters": 10, "train_samples_per_second": 5.0,
    "inference_samples_per_second": None, "status": "failed: " + EVIL,
}  # fmt: skip


class Page(html.parser.HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page(tmp_path):
    picture = tmp_path / "curve.png"
    plots.learning_curves([[{"epoch": 1, "train_loss": 1.0, "validation_accuracy": 0.5}]], "", picture)
    parts = sections([CELL], {"task_one": ["note " + EVIL]})
    figures = {"task_one": {"Curve " + EVIL: picture}}
    config = {"epochs": 3, "encoders": {"image": "cnn"}}
    return report(
        "Title " + EVIL, parts, figures, [EVIL], {"Environment " + EVIL: {"hardware": {"cpu": EVIL}}}, config
    ), picture


def test_every_text_is_escaped_and_tags_are_balanced(tmp_path):
    text, _ = page(tmp_path)
    seen = Page(text)
    assert "script" not in seen.tags and not seen.open
    # Title (twice: its tag and heading), status, note, caption, protocol, environment (its link, heading and value).
    assert seen.text.count(EVIL) == 9
    assert "85.0 [21.5, 148.5]" in seen.text and "encoders.image" in seen.text


def test_nothing_is_loaded_from_elsewhere(tmp_path):
    text, picture = page(tmp_path)
    embedded = "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
    links = Page(text).links
    assert embedded in links
    assert all(link == embedded or link.startswith("#") for link in links)
    assert "url(" not in text and "@import" not in text
