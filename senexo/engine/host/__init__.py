"""The leukaemia of one host as a table of transitions, which the exact process, its leaps and its twin all read."""
