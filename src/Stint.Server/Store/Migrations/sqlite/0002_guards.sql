-- What must never happen, said to the database itself.

CREATE TRIGGER requests_move BEFORE UPDATE ON requests
WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'request' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'stint: a request does not move that way'); END;

CREATE TRIGGER requests_fixed BEFORE UPDATE ON requests
WHEN NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.subject <> OLD.subject OR NEW.resource <> OLD.resource
    OR NEW.role <> OLD.role OR NEW.asked_at <> OLD.asked_at OR NEW.verdict <> OLD.verdict OR NEW.catalog_version <> OLD.catalog_version
    OR NEW.lapses_at <> OLD.lapses_at OR NEW.lasts > OLD.lasts
BEGIN SELECT RAISE(ABORT, 'stint: what was asked does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER requests_done BEFORE UPDATE ON requests
WHEN OLD.state <> 'pending'
BEGIN SELECT RAISE(ABORT, 'stint: a decided request does not change'); END;

CREATE TRIGGER requests_stay BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'stint: a request is never deleted'); END;

CREATE TRIGGER approvals_own BEFORE INSERT ON approvals
WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND subject = NEW.person)
BEGIN SELECT RAISE(ABORT, 'stint: nobody answers their own request'); END;

CREATE TRIGGER approvals_pending BEFORE INSERT ON approvals
WHEN NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'pending')
BEGIN SELECT RAISE(ABORT, 'stint: only a pending request is answered'); END;

CREATE TRIGGER approvals_named BEFORE INSERT ON approvals
WHEN NOT EXISTS (SELECT 1 FROM request_approvers WHERE request_id = NEW.request_id AND person = NEW.person)
BEGIN SELECT RAISE(ABORT, 'stint: only somebody whom a step names answers'); END;

CREATE TRIGGER approvals_fixed BEFORE UPDATE ON approvals
BEGIN SELECT RAISE(ABORT, 'stint: an answer does not change'); END;

CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals
BEGIN SELECT RAISE(ABORT, 'stint: an answer is never deleted'); END;

CREATE TRIGGER grants_begin BEFORE INSERT ON grants
WHEN NEW.state <> 'ready' OR NEW.not_before IS NOT NULL OR NEW.not_after IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'stint: a grant begins as ready, without a window'); END;

CREATE TRIGGER grants_request BEFORE INSERT ON grants
WHEN NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'approved'
    AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role)
BEGIN SELECT RAISE(ABORT, 'stint: a grant comes from an approved request for the same subject and role'); END;

CREATE TRIGGER grants_move BEFORE UPDATE ON grants
WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'grant' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'stint: a grant does not move that way'); END;

CREATE TRIGGER grants_deadline BEFORE UPDATE ON grants
WHEN OLD.state NOT IN ('ready', 'opening') AND (NEW.not_after IS NOT OLD.not_after OR NEW.not_before IS NOT OLD.not_before)
BEGIN SELECT RAISE(ABORT, 'stint: a deadline never moves'); END;

CREATE TRIGGER grants_fixed BEFORE UPDATE ON grants
WHEN NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.request_id <> OLD.request_id OR NEW.subject <> OLD.subject
    OR NEW.resource <> OLD.resource OR NEW.role <> OLD.role OR NEW.ready_at <> OLD.ready_at OR NEW.lapses_at <> OLD.lapses_at
    OR NEW.extends IS NOT OLD.extends OR NEW.lasts > OLD.lasts OR (OLD.assignment_id IS NOT NULL AND NEW.assignment_id IS NOT OLD.assignment_id)
    OR (OLD.end_reason IS NOT NULL AND (NEW.end_reason IS NOT OLD.end_reason OR NEW.ended_at IS NOT OLD.ended_at))
BEGIN SELECT RAISE(ABORT, 'stint: who holds what, and why it ended, does not change, and every change makes the version grow by one'); END;

CREATE TRIGGER grants_assignment_same BEFORE UPDATE OF assignment_id ON grants
WHEN NEW.assignment_id IS NOT NULL AND OLD.assignment_id IS NULL AND NOT EXISTS (SELECT 1 FROM assignments
    WHERE id = NEW.assignment_id AND state <> 'removed' AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role)
BEGIN SELECT RAISE(ABORT, 'stint: an assignment serves grants of its own subject and role'); END;

CREATE TRIGGER grants_done BEFORE UPDATE ON grants
WHEN OLD.state = 'closed'
BEGIN SELECT RAISE(ABORT, 'stint: a closed grant does not change'); END;

CREATE TRIGGER grants_stay BEFORE DELETE ON grants
BEGIN SELECT RAISE(ABORT, 'stint: a grant is never deleted'); END;

CREATE TRIGGER assignments_begin BEFORE INSERT ON assignments
WHEN NEW.state <> 'adding'
BEGIN SELECT RAISE(ABORT, 'stint: an assignment begins as adding'); END;

CREATE TRIGGER assignments_move BEFORE UPDATE ON assignments
WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'assignment' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'stint: an assignment does not move that way'); END;

CREATE TRIGGER assignments_fixed BEFORE UPDATE ON assignments
WHEN NEW.version <> OLD.version + 1 OR NEW.fence < OLD.fence OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.subject <> OLD.subject
    OR NEW.resource <> OLD.resource OR NEW.role <> OLD.role OR NEW.account <> OLD.account
BEGIN SELECT RAISE(ABORT, 'stint: whose account it is does not change, a fence never falls, and every change makes the version grow by one'); END;

CREATE TRIGGER assignments_wanted BEFORE UPDATE OF state ON assignments
WHEN NEW.state = 'removed' AND EXISTS (SELECT 1 FROM grants WHERE assignment_id = OLD.id AND state IN ('opening', 'open'))
BEGIN SELECT RAISE(ABORT, 'stint: an open grant wants this assignment'); END;

CREATE TRIGGER assignments_stay BEFORE DELETE ON assignments
BEGIN SELECT RAISE(ABORT, 'stint: an assignment is never deleted'); END;

CREATE TRIGGER sessions_begin BEFORE INSERT ON sessions
WHEN NEW.state <> 'live' OR NOT EXISTS (SELECT 1 FROM grants WHERE id = NEW.grant_id AND state = 'open' AND request_id = NEW.request_id
    AND assignment_id = NEW.assignment_id AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role
    AND not_before <= NEW.started_at AND NEW.started_at < not_after)
BEGIN SELECT RAISE(ABORT, 'stint: a session begins under an open grant, inside its window'); END;

CREATE TRIGGER sessions_move BEFORE UPDATE ON sessions
WHEN NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.grant_id <> OLD.grant_id OR NEW.subject <> OLD.subject
    OR (NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'session' AND from_state = OLD.state AND to_state = NEW.state))
BEGIN SELECT RAISE(ABORT, 'stint: a session does not move that way'); END;

CREATE TRIGGER sessions_done BEFORE UPDATE ON sessions
WHEN OLD.state = 'ended'
BEGIN SELECT RAISE(ABORT, 'stint: an ended session does not change'); END;

CREATE TRIGGER sessions_stay BEFORE DELETE ON sessions
BEGIN SELECT RAISE(ABORT, 'stint: a session is never deleted'); END;

CREATE TRIGGER facts_fixed BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'stint: a fact does not change'); END;

CREATE TRIGGER facts_stay BEFORE DELETE ON facts
BEGIN SELECT RAISE(ABORT, 'stint: a fact is never deleted'); END;

CREATE TRIGGER facts_next BEFORE INSERT ON facts
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq) + 1, 0) FROM facts)
BEGIN SELECT RAISE(ABORT, 'stint: facts follow one another without a gap'); END;

CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head
WHEN NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'stint: the log only grows'); END;

CREATE TRIGGER log_head_stays BEFORE DELETE ON log_head
BEGIN SELECT RAISE(ABORT, 'stint: the log has one head'); END;

CREATE TRIGGER checkpoints_fixed BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'stint: a signed head does not change'); END;

CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'stint: a signed head is never deleted'); END;
