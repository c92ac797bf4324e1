"""What a network that has never seen a log must be told about it: the customer's own past, and the log around her.

Everything is free of the log's scale: time is counted in horizons, money in mean orders. All of it reads what lies
before the cutoff only; what happened in complete windows before it is looked up, never what happens after it.

    days        something that customers did on some days, and sums over any span of them
    behaviour   what they do beside buying, by day
    log_days    a log by customer and day
    lookup      what happened to customers like her in complete windows before the cutoff
    log         statistics of the whole log at the cutoff
    customer    statistics of each customer
    context     a log at one cutoff: all of that together, made when it is asked for
"""
