"""atheris target: every parser of received octets, and the readers of capture files; whatever they raise is a finding.

python -m tools.fuzz parsers FOLDER -max_total_time=600
"""

import io

from stack.capture.dissect import Dissection
from stack.capture.linktypes import ethernet_frame
from stack.capture.reading import records
from stack.errors import UsageError
from stack.explain.frame import describe
from stack.fuzz.on_fields import repaired
from stack.nd.dns import parse_names, parse_servers
from stack.replay.legality import Sender, illegal
from stack.wire import mldpacket, mldv2, nd

_SENDER = Sender(bytes.fromhex("02006e000064"), 1500, bool)


def one_input(data: bytes) -> None:
    """Parse one input in every way that there is."""
    describe(data)
    Dissection(data)
    repaired(data)
    mldpacket.parse(data)
    mldv2.parse_query(data)
    mldv2.parse_report(data)
    nd.parse_options(data)
    parse_names(data)
    parse_servers(data)
    illegal(data, _SENDER)
    try:
        for record in records(io.BytesIO(data), "input", lambda line: None):
            ethernet_frame(record)
    except UsageError:
        pass
