"""Flows of a capture to CSV by nfstream: no protocol guessed, no statistics. Run by the interpreter that has nfstream."""

import sys

from nfstream import NFStreamer

if __name__ == "__main__":
    NFStreamer(source=sys.argv[1], n_dissections=0, statistical_analysis=False).to_csv(sys.argv[2])
