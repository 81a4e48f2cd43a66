"""What mutants of imperfections are made with: a table of them, and hooks into the twin's chips."""

from mutant_hooks import altered, table
from spikeloom.reference.twin.imperfections import Flaws

FLAW_MUTANTS, flaw_mutant = table()
ALL = ("flawed", "brainscales2", "pcm_crossbar")


def put_draw(put, change):
    """Frozen draws of another (kind, number, core, index)."""
    right = Flaws.word
    put(Flaws, "word", lambda self, *place: right(self, *change(*place)))


def put_entries(put, kind, **fields):
    """Imperfections of one kind with other fields; a function makes the field of the entry."""
    right = Flaws.of_kind

    def of_kind(self, *kinds):
        found = []
        for number, entry in right(self, *kinds):
            found.append((number, with_fields(entry, fields) if entry.kind == kind else entry))
        return found

    put(Flaws, "of_kind", of_kind)


def with_fields(entry, fields):
    """The entry with each field that is given, or made of it by a function."""
    return altered(
        entry, **{name: value(entry) if callable(value) else value for name, value in fields.items()}
    )


def put_normals(put, change):
    """Other frozen normal numbers."""
    right = Flaws.normal
    put(Flaws, "normal", lambda self, *place: change(right(self, *place)))
