"""A book as HTML, to the links in it that lead nowhere. The status is 1 where there are any."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links and the names of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("id"):
            self.names.add(attributes["id"])
        for name in ("href", "src"):
            if attributes.get(name) and tag != "base":
                self.links.append(attributes[name])


def broken(book):
    """Page and link, of each link inside the repository that leads nowhere."""
    pages = {path: Page(path) for path in sorted(book.rglob("*.html"))}
    for path, page in pages.items():
        # Found from any address, so that its links begin at the root.
        if path.name in ("404.html", "toc.html"):
            continue
        for link in page.links:
            to = urlsplit(link)
            if to.scheme or to.netloc:
                continue
            target = (path.parent / unquote(to.path)).resolve() if to.path else path
            if not target.exists() or to.fragment and target in pages and unquote(to.fragment) not in pages[target].names:
                yield path.relative_to(book), link


if __name__ == "__main__":
    found = list(broken(Path(sys.argv[1]).resolve()))
    for page, link in found:
        print(f"{page}: {link} leads nowhere", file=sys.stderr)
    sys.exit(bool(found))
