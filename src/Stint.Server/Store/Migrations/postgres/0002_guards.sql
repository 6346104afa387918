-- What must never happen, said to the database itself.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stint: %', TG_ARGV[0];
END $$;

CREATE FUNCTION requests_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'request' AND from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'stint: a request does not move that way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_move BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION requests_move();

CREATE TRIGGER requests_fixed BEFORE UPDATE ON requests FOR EACH ROW
WHEN (NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.subject <> OLD.subject OR NEW.resource <> OLD.resource
    OR NEW.role <> OLD.role OR NEW.asked_at <> OLD.asked_at OR NEW.verdict <> OLD.verdict OR NEW.catalog_version <> OLD.catalog_version
    OR NEW.lapses_at <> OLD.lapses_at OR NEW.lasts > OLD.lasts)
EXECUTE FUNCTION refuse('what was asked does not change, and every change makes the version grow by one');

CREATE TRIGGER requests_done BEFORE UPDATE ON requests FOR EACH ROW
WHEN (OLD.state <> 'pending')
EXECUTE FUNCTION refuse('a decided request does not change');

CREATE TRIGGER requests_stay BEFORE DELETE ON requests FOR EACH ROW EXECUTE FUNCTION refuse('a request is never deleted');

CREATE FUNCTION approvals_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND subject = NEW.person) THEN
        RAISE EXCEPTION 'stint: nobody answers their own request';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_own BEFORE INSERT ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_own();

CREATE FUNCTION approvals_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'pending') THEN
        RAISE EXCEPTION 'stint: only a pending request is answered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_pending BEFORE INSERT ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_pending();

CREATE FUNCTION approvals_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM request_approvers WHERE request_id = NEW.request_id AND person = NEW.person) THEN
        RAISE EXCEPTION 'stint: only somebody whom a step names answers';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_named BEFORE INSERT ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_named();

CREATE TRIGGER approvals_fixed BEFORE UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION refuse('an answer does not change');

CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION refuse('an answer is never deleted');

CREATE TRIGGER grants_begin BEFORE INSERT ON grants FOR EACH ROW
WHEN (NEW.state <> 'ready' OR NEW.not_before IS NOT NULL OR NEW.not_after IS NOT NULL)
EXECUTE FUNCTION refuse('a grant begins as ready, without a window');

CREATE FUNCTION grants_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests WHERE id = NEW.request_id AND state = 'approved'
    AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role) THEN
        RAISE EXCEPTION 'stint: a grant comes from an approved request for the same subject and role';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_request BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION grants_request();

CREATE FUNCTION grants_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'grant' AND from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'stint: a grant does not move that way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_move BEFORE UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION grants_move();

CREATE TRIGGER grants_deadline BEFORE UPDATE ON grants FOR EACH ROW
WHEN (OLD.state NOT IN ('ready', 'opening') AND (NEW.not_after IS DISTINCT FROM OLD.not_after OR NEW.not_before IS DISTINCT FROM OLD.not_before))
EXECUTE FUNCTION refuse('a deadline never moves');

CREATE TRIGGER grants_fixed BEFORE UPDATE ON grants FOR EACH ROW
WHEN (NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.request_id <> OLD.request_id OR NEW.subject <> OLD.subject
    OR NEW.resource <> OLD.resource OR NEW.role <> OLD.role OR NEW.ready_at <> OLD.ready_at OR NEW.lapses_at <> OLD.lapses_at
    OR NEW.extends IS DISTINCT FROM OLD.extends OR NEW.lasts > OLD.lasts OR (OLD.assignment_id IS NOT NULL AND NEW.assignment_id IS DISTINCT FROM OLD.assignment_id)
    OR (OLD.end_reason IS NOT NULL AND (NEW.end_reason IS DISTINCT FROM OLD.end_reason OR NEW.ended_at IS DISTINCT FROM OLD.ended_at)))
EXECUTE FUNCTION refuse('who holds what, and why it ended, does not change, and every change makes the version grow by one');

CREATE FUNCTION grants_assignment_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.assignment_id IS NOT NULL AND OLD.assignment_id IS NULL AND NOT EXISTS (SELECT 1 FROM assignments
    WHERE id = NEW.assignment_id AND state <> 'removed' AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role) THEN
        RAISE EXCEPTION 'stint: an assignment serves grants of its own subject and role';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_assignment_same BEFORE UPDATE OF assignment_id ON grants FOR EACH ROW EXECUTE FUNCTION grants_assignment_same();

CREATE TRIGGER grants_done BEFORE UPDATE ON grants FOR EACH ROW
WHEN (OLD.state = 'closed')
EXECUTE FUNCTION refuse('a closed grant does not change');

CREATE TRIGGER grants_stay BEFORE DELETE ON grants FOR EACH ROW EXECUTE FUNCTION refuse('a grant is never deleted');

CREATE TRIGGER assignments_begin BEFORE INSERT ON assignments FOR EACH ROW
WHEN (NEW.state <> 'adding')
EXECUTE FUNCTION refuse('an assignment begins as adding');

CREATE FUNCTION assignments_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'assignment' AND from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'stint: an assignment does not move that way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignments_move BEFORE UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION assignments_move();

CREATE TRIGGER assignments_fixed BEFORE UPDATE ON assignments FOR EACH ROW
WHEN (NEW.version <> OLD.version + 1 OR NEW.fence < OLD.fence OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.subject <> OLD.subject
    OR NEW.resource <> OLD.resource OR NEW.role <> OLD.role OR NEW.account <> OLD.account)
EXECUTE FUNCTION refuse('whose account it is does not change, a fence never falls, and every change makes the version grow by one');

CREATE FUNCTION assignments_wanted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'removed' AND EXISTS (SELECT 1 FROM grants WHERE assignment_id = OLD.id AND state IN ('opening', 'open')) THEN
        RAISE EXCEPTION 'stint: an open grant wants this assignment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignments_wanted BEFORE UPDATE OF state ON assignments FOR EACH ROW EXECUTE FUNCTION assignments_wanted();

CREATE TRIGGER assignments_stay BEFORE DELETE ON assignments FOR EACH ROW EXECUTE FUNCTION refuse('an assignment is never deleted');

CREATE FUNCTION sessions_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'live' OR NOT EXISTS (SELECT 1 FROM grants WHERE id = NEW.grant_id AND state = 'open' AND request_id = NEW.request_id
    AND assignment_id = NEW.assignment_id AND subject = NEW.subject AND resource = NEW.resource AND role = NEW.role
    AND not_before <= NEW.started_at AND NEW.started_at < not_after) THEN
        RAISE EXCEPTION 'stint: a session begins under an open grant, inside its window';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_begin BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_begin();

CREATE FUNCTION sessions_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> OLD.version + 1 OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.grant_id <> OLD.grant_id OR NEW.subject <> OLD.subject
    OR (NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM moves WHERE machine = 'session' AND from_state = OLD.state AND to_state = NEW.state)) THEN
        RAISE EXCEPTION 'stint: a session does not move that way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_move BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_move();

CREATE TRIGGER sessions_done BEFORE UPDATE ON sessions FOR EACH ROW
WHEN (OLD.state = 'ended')
EXECUTE FUNCTION refuse('an ended session does not change');

CREATE TRIGGER sessions_stay BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION refuse('a session is never deleted');

CREATE TRIGGER facts_fixed BEFORE UPDATE ON facts FOR EACH ROW EXECUTE FUNCTION refuse('a fact does not change');

CREATE TRIGGER facts_stay BEFORE DELETE ON facts FOR EACH ROW EXECUTE FUNCTION refuse('a fact is never deleted');

CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head FOR EACH ROW
WHEN (NEW.size < OLD.size)
EXECUTE FUNCTION refuse('the log only grows');

CREATE TRIGGER log_head_stays BEFORE DELETE ON log_head FOR EACH ROW EXECUTE FUNCTION refuse('the log has one head');

CREATE TRIGGER checkpoints_fixed BEFORE UPDATE ON checkpoints FOR EACH ROW EXECUTE FUNCTION refuse('a signed head does not change');

CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints FOR EACH ROW EXECUTE FUNCTION refuse('a signed head is never deleted');

CREATE FUNCTION facts_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    low BIGINT;
    high BIGINT;
    count BIGINT;
BEGIN
    SELECT MIN(seq), MAX(seq), COUNT(*) INTO low, high, count FROM added;
    IF count > 0 AND (high - low + 1 <> count OR low <> (SELECT COALESCE(MAX(seq) + 1, 0) FROM facts WHERE seq < low)) THEN
        RAISE EXCEPTION 'stint: facts follow one another without a gap';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER facts_next AFTER INSERT ON facts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION facts_next();

CREATE TRIGGER facts_whole BEFORE TRUNCATE ON facts FOR EACH STATEMENT EXECUTE FUNCTION refuse('a fact is never deleted');

CREATE TRIGGER requests_whole BEFORE TRUNCATE ON requests FOR EACH STATEMENT EXECUTE FUNCTION refuse('a request is never deleted');

CREATE TRIGGER approvals_whole BEFORE TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION refuse('an answer is never deleted');

CREATE TRIGGER grants_whole BEFORE TRUNCATE ON grants FOR EACH STATEMENT EXECUTE FUNCTION refuse('a grant is never deleted');

CREATE TRIGGER assignments_whole BEFORE TRUNCATE ON assignments FOR EACH STATEMENT EXECUTE FUNCTION refuse('an assignment is never deleted');

CREATE TRIGGER sessions_whole BEFORE TRUNCATE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION refuse('a session is never deleted');

CREATE TRIGGER checkpoints_whole BEFORE TRUNCATE ON checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse('a signed head is never deleted');

CREATE TRIGGER log_head_whole BEFORE TRUNCATE ON log_head FOR EACH STATEMENT EXECUTE FUNCTION refuse('the log has one head');
