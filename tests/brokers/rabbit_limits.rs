//! Limits, rights and kinds of queues of RabbitMQ, which share their codes.

use std::time::Duration;

use airlock::{CeleryExecutor, Options};
use airlock_tests::servers::RabbitServer;

use crate::rabbit::queue_of_its_own;
use crate::tasks::{Account, flush, flush_notes, note};

fn executor(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).expect("a URL").connect_timeout(Duration::from_secs(1)).default_queue(queue_of_its_own())
}

#[track_caller]
fn says(account: &Account, end: &str, text: &str) {
    account.says(text);
    assert!(account.count(end) > 0 && account.count(end) + account.count("unattempted") == 3, "{account:?}");
    assert!(!account.texts.concat().contains("s3cret"), "{:?}", account.texts);
}

/// One server, and one call of its tools, which take seconds.
#[test]
fn promise_13_limits_and_rights_are_told_from_the_text_of_what_is_refused() {
    let server = RabbitServer::start();
    server.control(&[
        "eval",
        "By = <<\"tests\">>,
         Add = fun(User, Vhost, Configure) ->
             rabbit_auth_backend_internal:add_user(User, <<\"s3cret\">>, By),
             rabbit_auth_backend_internal:set_permissions(User, Vhost, Configure, <<\".*\">>, <<\".*\">>, By)
         end,
         [rabbit_vhost:add(Vhost, By) || Vhost <- [<<\"full\">>, <<\"queues\">>, <<\"other\">>]],
         rabbit_vhost:put_vhost(<<\"quorum\">>, <<>>, <<>>, <<\"quorum\">>, false, By),
         rabbit_vhost_limit:set(<<\"full\">>, [{<<\"max-connections\">>, 0}], By),
         rabbit_vhost_limit:set(<<\"queues\">>, [{<<\"max-queues\">>, 0}], By),
         Add(<<\"all\">>, <<\"full\">>, <<\".*\">>),
         rabbit_auth_backend_internal:set_permissions(<<\"all\">>, <<\"queues\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, By),
         rabbit_auth_backend_internal:set_permissions(<<\"all\">>, <<\"quorum\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, By),
         Add(<<\"none\">>, <<\"/\">>, <<\".*\">>),
         rabbit_auth_backend_internal:set_user_limits(<<\"none\">>, #{<<\"max-connections\">> => 0}, By),
         Add(<<\"one\">>, <<\"/\">>, <<\".*\">>),
         rabbit_auth_backend_internal:set_user_limits(<<\"one\">>, #{<<\"max-channels\">> => 1}, By),
         Add(<<\"web\">>, <<\"/\">>, <<\"^$\">>),
         ok.",
    ]);
    let url = |user: &str, vhost: &str| {
        server.url().replace("guest:guest", &format!("{user}:s3cret")).replace("/%2F", &format!("/{vhost}"))
    };

    let account = flush_notes(executor(&url("all", "full")).declare(), 3);
    says(&account, "unavailable", "takes no more connections (NOT_ALLOWED - access to vhost 'full' refused");
    let account = flush_notes(executor(&url("none", "%2F")).declare(), 3);
    says(&account, "unavailable", "takes no more connections (NOT_ALLOWED - connection refused for user 'none'");
    let account = flush_notes(executor(&url("all", "other")).declare(), 3);
    says(&account, "rejected", "doesn't let this user into the virtual host `other`; give them rights");
    let account = flush_notes(executor(&url("all", "nowhere")).declare(), 3);
    says(&account, "rejected", "has no virtual host `nowhere`");
    let account = flush_notes(executor(&url("all", "queues")).declare(), 3);
    says(&account, "unavailable", "can't be made on");
    account.says("raise the limit, or delete other queues");
    let account = flush_notes(executor(&url("all", "quorum")).declare().max_priority(5), 3);
    says(&account, "rejected", "of a type that takes no `x-max-priority`");
    account.says("leave `max_priority` out");
    flush_notes(executor(&url("all", "quorum")).declare(), 3).expect(&[("dispatched", 3)]);

    // Channels: told at once, and not after as many connections as there is time for.
    for _ in 0..2 {
        let executor = CeleryExecutor::new(url("one", "%2F")).expect("a URL").connect_timeout(Duration::from_secs(30));
        let account = flush_notes(executor.declare(), 3);
        says(&account, "unavailable", "allows this user too few channels");
        account.took_at_most(Duration::from_secs(10));
    }
    let made = server.log().matches("'one' authenticated").count();
    assert_eq!(made, 2, "{made} connections for two flushes");

    let account = flush_notes(executor(&url("web", "%2F")).declare(), 3);
    says(&account, "rejected", "this user may not declare the queue");
    account.says("leave `declare()` out where the workers declare it");
    // Without it, a queue that is there is enough.
    let queue = queue_of_its_own();
    crate::rabbit::declare(&server.url(), &queue);
    let account = flush(airlock::scope().executor(executor(&url("web", "%2F"))), || {
        note::enqueue_with(Options::new().queue(queue.clone()), 1).expect("there is a scope");
    });
    account.expect(&[("dispatched", 1)]);
    let account = flush(airlock::scope().executor(executor(&server.url()).declare()), || {
        for _ in 0..3 {
            note::enqueue_with(Options::new().queue("amq.mine"), 1).expect("there is a scope");
        }
    });
    says(&account, "rejected", "names like `amq.mine` are reserved");
}
