//! Without a database there are no rows, and no worker of them.
