"""CPython's own pickler, told to leave out what airlock leaves out: the memo, frames, and the short forms for lists and
dicts of one item. What it writes for a value of the real libraries is then what airlock has to write, byte for byte."""

import io
import pickle


class Plain(pickle._Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=4)
        self.framer.start_framing = lambda: None

    def memoize(self, obj):
        pass

    def _batch(self, values, end):
        if values:
            self.write(pickle.MARK)
            for value in values:
                self.save(value)
            self.write(end)

    def _batch_appends(self, items):
        self._batch(list(items), pickle.APPENDS)

    def _batch_setitems(self, items):
        self._batch([part for item in items for part in item], pickle.SETITEMS)


def dumps(value, protocol=None):
    file = io.BytesIO()
    Plain(file).dump(value)
    data = file.getvalue()
    assert pickle.loads(data) == value
    return data


loads = pickle.loads
HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
