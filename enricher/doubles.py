"""Which messages of a partition came before: a publisher that did not hear that Kafka has a message sends it again."""

from collections import OrderedDict

from contract.wire import MessageId

# A double comes soon after its message: a publisher has fewer than these in flight, and sends them again before it goes on.
WINDOW = 4096
MAX_EPOCHS = (
    4096  # runs of publishers that are remembered; of those beyond, the one that was silent for longest is forgotten
)


class Doubles:
    """Of each epoch the highest sequence, and which of the ``WINDOW`` below it came: bit 0 stands for the highest."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_new(self, identity: MessageId) -> bool:
        """True once for each message; also for one so far behind that nobody remembers: twice is better than never."""
        epoch, sequence = identity
        highest, came = self._seen.pop(epoch, (sequence, 0))
        ahead = sequence - highest
        if ahead > 0:
            came = came << ahead if ahead < WINDOW else 0
            highest, ahead = sequence, 0
        bit = 1 << -ahead if -ahead < WINDOW else 0
        is_new = not came & bit
        self._seen[epoch] = (highest, (came | bit) & ((1 << WINDOW) - 1))
        if len(self._seen) > MAX_EPOCHS:
            self._seen.popitem(last=False)
        return is_new
