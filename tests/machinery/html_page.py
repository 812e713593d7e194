"""A page of HTML, as a browser takes it apart."""

from html.parser import HTMLParser

VOID = ("meta", "link")  # what needs no end


class Tags(HTMLParser):
    """Which tags there are, each closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
