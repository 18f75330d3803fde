"""Medians and how far they can be trusted."""

import math
import statistics


def interval_ranks(count, confidence=0.95):
    """The ranks (from 0) of the values that enclose the median with at least this confidence.

    A value lies below the true median as a coin falls, whatever the values' distribution; so the
    kth smallest lies above it with the chance of fewer than k heads. With fewer than six values
    no two of them reach 95 %: then it is the smallest and the largest.
    """
    below, chance = -1, 0.0
    while below + 1 < count // 2:
        chance += math.comb(count, below + 1) / 2**count
        if 1 - 2 * chance < confidence:
            break
        below += 1
    low = max(0, below)
    return low, count - 1 - low


def median_interval(values, confidence=0.95):
    """(median, low, high)"""
    ordered = sorted(values)
    low, high = interval_ranks(len(ordered), confidence)
    return statistics.median(ordered), ordered[low], ordered[high]


def ratios(records, reference, name="cpu_us"):
    """Per-round ratios of a figure to the reference's in the same round."""
    base = {record["round"]: record[name] for record in reference}
    return [record[name] / base[record["round"]] for record in records
            if base.get(record["round"])]
