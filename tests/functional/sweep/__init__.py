"""Tests of the sweep through the handlers of RefreshFunction and DeliverFunction."""
