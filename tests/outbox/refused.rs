//! Statements that the database refuses to a worker, while it takes the others.

use airlock::OutboxState;

use crate::home::on_both;
use crate::tasks::{gate, gated, plain, ran, unique, waited_at};

on_both! {
    async fn promise_25_what_has_run_is_recorded_while_claims_are_refused(home) {
        let test = unique();
        let gate = gate(&test);
        let (refuse, allow) = if home.url.starts_with("sqlite") {
            (
                "CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox WHEN new.state = 'running'
                 AND old.state = 'waiting' BEGIN SELECT RAISE(ABORT, 'not now'); END",
                "DROP TRIGGER refuses",
            )
        } else {
            (
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
                 CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox FOR EACH ROW
                 WHEN (new.state = 'running' AND old.state = 'waiting') EXECUTE FUNCTION refuse()",
                "DROP TRIGGER refuses ON airlock_outbox",
            )
        };
        home.enqueue(|| gated::enqueue(test.clone(), 1));
        let story = async {
            waited_at(&gate, 1).await;
            home.run(refuse);
            home.enqueue(|| plain::enqueue(test.clone(), 2));
            gate.open();
            home.until("the first is done", async || home.states().await.contains(&(OutboxState::Done, 1))).await;
            assert_eq!(ran(&test), [1], "the second was not claimed");
            home.run(allow);
            home.all_have_ended().await;
        };
        let report = home.run_while(home.worker(), story).await;
        assert_eq!((ran(&test), report.done, report.stale), (vec![1, 2], 2, 0));
    }
}
