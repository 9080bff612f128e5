CREATE TABLE action_definitions (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	namespace TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	workbook_name TEXT,
	definition TEXT NOT NULL,
	description TEXT,
	input TEXT,
	tags TEXT NOT NULL,
	is_system INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE actions (
	id TEXT NOT NULL,
	root_id TEXT NOT NULL,
	execution_id TEXT,
	task_execution_id TEXT,
	project_id TEXT NOT NULL,
	name TEXT NOT NULL,
	workflow_name TEXT,
	workflow_namespace TEXT NOT NULL,
	task_name TEXT,
	idx INTEGER NOT NULL,
	state TEXT NOT NULL,
	state_info TEXT,
	accepted INTEGER NOT NULL,
	input TEXT NOT NULL,
	output TEXT,
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	taken_at INTEGER,
	last_heartbeat INTEGER,
	internal TEXT NOT NULL,
	PRIMARY KEY (id)
)
 WITHOUT ROWID;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE audit (
	id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	project_id TEXT NOT NULL,
	user_id TEXT,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	method TEXT NOT NULL,
	path TEXT NOT NULL,
	status INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE automations (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	user_id TEXT,
	updated_by TEXT,
	steps TEXT NOT NULL,
	default_retry TEXT NOT NULL,
	checksum TEXT NOT NULL,
	deleted INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE blobs (
	id TEXT NOT NULL,
	root_id TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE code_sources (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	namespace TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	content TEXT NOT NULL,
	version INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE cron_triggers (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	project_id TEXT NOT NULL,
	user_id TEXT,
	scope TEXT NOT NULL,
	workflow_id TEXT NOT NULL,
	workflow_name TEXT NOT NULL,
	workflow_input TEXT NOT NULL,
	workflow_params TEXT NOT NULL,
	pattern TEXT,
	time_zone TEXT NOT NULL,
	catch_up TEXT NOT NULL,
	overlap TEXT NOT NULL,
	first_execution_time INTEGER,
	next_execution_time INTEGER,
	remaining_executions INTEGER,
	waiting_since INTEGER,
	last_due_at INTEGER,
	last_execution_id TEXT,
	last_error TEXT,
	failures INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE dynamic_actions (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	namespace TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	class_name TEXT NOT NULL,
	code_source_id TEXT NOT NULL,
	code_source_name TEXT NOT NULL,
	signature TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE environments (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	description TEXT,
	variables TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE event_triggers (
	id TEXT NOT NULL,
	name TEXT,
	project_id TEXT NOT NULL,
	user_id TEXT,
	scope TEXT NOT NULL,
	workflow_id TEXT NOT NULL,
	workflow_input TEXT NOT NULL,
	workflow_params TEXT NOT NULL,
	exchange TEXT NOT NULL,
	topic TEXT NOT NULL,
	event TEXT NOT NULL,
	last_execution_id TEXT,
	last_error TEXT,
	failures INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE executions (
	id TEXT NOT NULL,
	root_id TEXT NOT NULL,
	parent_id TEXT,
	task_execution_id TEXT,
	idx INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	project_id TEXT NOT NULL,
	workflow_id TEXT NOT NULL,
	workflow_name TEXT NOT NULL,
	workflow_namespace TEXT NOT NULL,
	revision_id TEXT NOT NULL,
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	state TEXT NOT NULL,
	state_info TEXT,
	params TEXT NOT NULL,
	input TEXT NOT NULL,
	output TEXT,
	global_vars TEXT NOT NULL,
	published_global TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	finished_at INTEGER,
	internal TEXT NOT NULL,
	PRIMARY KEY (id)
)
 WITHOUT ROWID;
CREATE TABLE history (
	execution_id TEXT NOT NULL,
	seq INTEGER NOT NULL,
	at INTEGER NOT NULL,
	entries TEXT NOT NULL,
	PRIMARY KEY (execution_id, seq)
)
 WITHOUT ROWID;
CREATE TABLE members (
	id TEXT NOT NULL,
	resource_id TEXT NOT NULL,
	resource_type TEXT NOT NULL,
	project_id TEXT NOT NULL,
	member_id TEXT NOT NULL,
	status TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (resource_id, member_id)
);
CREATE TABLE notes (
	name TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE outbox (
	id TEXT NOT NULL,
	destination TEXT NOT NULL,
	root_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	publisher TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE paused (
	root_id TEXT NOT NULL,
	PRIMARY KEY (root_id)
)
 WITHOUT ROWID;
CREATE TABLE replies (
	"key" TEXT NOT NULL,
	at INTEGER NOT NULL,
	reply TEXT NOT NULL,
	PRIMARY KEY ("key")
)
 WITHOUT ROWID;
CREATE TABLE revisions (
	id TEXT NOT NULL,
	workflow_id TEXT NOT NULL,
	name TEXT NOT NULL,
	workbook_name TEXT,
	definition TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE secrets (
	project_id TEXT NOT NULL,
	name TEXT NOT NULL,
	sealed TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (project_id, name)
);
CREATE TABLE starts (
	id TEXT NOT NULL,
	trigger_kind TEXT NOT NULL,
	trigger_id TEXT NOT NULL,
	due_at INTEGER NOT NULL,
	project_id TEXT NOT NULL,
	user_id TEXT,
	workflow_id TEXT NOT NULL,
	input TEXT NOT NULL,
	params TEXT NOT NULL,
	description TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE tasks (
	id TEXT NOT NULL,
	execution_id TEXT NOT NULL,
	project_id TEXT NOT NULL,
	name TEXT NOT NULL,
	type TEXT NOT NULL,
	workflow_name TEXT NOT NULL,
	tags TEXT NOT NULL,
	state TEXT NOT NULL,
	state_info TEXT,
	published TEXT NOT NULL,
	published_global TEXT,
	runtime_context TEXT NOT NULL,
	processed INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	started_at INTEGER,
	finished_at INTEGER,
	retired INTEGER NOT NULL,
	snapshot TEXT,
	internal TEXT NOT NULL,
	PRIMARY KEY (id)
)
 WITHOUT ROWID;
CREATE TABLE timers (
	owner_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	due_at INTEGER NOT NULL,
	root_id TEXT NOT NULL,
	execution_id TEXT,
	data TEXT NOT NULL,
	PRIMARY KEY (owner_id, kind)
)
 WITHOUT ROWID;
CREATE TABLE tokens (
	id TEXT NOT NULL,
	digest TEXT NOT NULL,
	description TEXT NOT NULL,
	project_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	roles TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER,
	revoked_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE workbooks (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	namespace TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	definition TEXT NOT NULL,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE workflows (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	namespace TEXT NOT NULL,
	project_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	workbook_name TEXT,
	definition TEXT NOT NULL,
	checksum TEXT,
	input TEXT NOT NULL,
	interface TEXT NOT NULL,
	tags TEXT NOT NULL,
	is_system INTEGER NOT NULL,
	revision_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER,
	PRIMARY KEY (id)
);
CREATE TABLE engines (
    epoch INTEGER NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    roles TEXT NOT NULL,
    state TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (epoch)
);
CREATE TABLE shards (
    shard INTEGER NOT NULL,
    epoch INTEGER,
    since INTEGER NOT NULL,
    counted INTEGER,
    PRIMARY KEY (shard)
);
CREATE TABLE counters (
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
CREATE TABLE quotas (
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    quota INTEGER NOT NULL,
    used INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    PRIMARY KEY (name, epoch)
) WITHOUT ROWID;
CREATE UNIQUE INDEX action_definitions_name ON action_definitions (name, namespace, project_id);
CREATE INDEX actions_of_task ON actions (task_execution_id, id);
CREATE INDEX actions_unfinished ON actions (root_id, execution_id, state) WHERE state IN ('RUNNING', 'PAUSED');
CREATE INDEX audit_created ON audit (created_at, id);
CREATE UNIQUE INDEX automations_name ON automations (name, project_id) WHERE deleted = 0;
CREATE INDEX blobs_of_root ON blobs (root_id);
CREATE UNIQUE INDEX code_sources_name ON code_sources (name, namespace, project_id);
CREATE INDEX cron_triggers_due ON cron_triggers (next_execution_time, id);
CREATE UNIQUE INDEX cron_triggers_name ON cron_triggers (name, project_id);
CREATE INDEX cron_triggers_of_workflow ON cron_triggers (workflow_id);
CREATE INDEX cron_triggers_waiting ON cron_triggers (id) WHERE waiting_since IS NOT NULL;
CREATE UNIQUE INDEX dynamic_actions_name ON dynamic_actions (name, namespace, project_id);
CREATE INDEX dynamic_actions_of_source ON dynamic_actions (code_source_id);
CREATE UNIQUE INDEX environments_name ON environments (name, project_id);
CREATE UNIQUE INDEX event_triggers_event ON event_triggers (exchange, topic, event, workflow_id, project_id);
CREATE INDEX event_triggers_of_workflow ON event_triggers (workflow_id);
CREATE INDEX executions_created ON executions (project_id, created_at, id);
CREATE INDEX executions_in_state ON executions (project_id, state, created_at, id);
CREATE INDEX executions_name ON executions (project_id, workflow_name, id);
CREATE INDEX executions_of_name ON executions (project_id, workflow_name, created_at, id);
CREATE INDEX executions_of_task ON executions (task_execution_id, id) WHERE task_execution_id IS NOT NULL;
CREATE INDEX executions_of_workflow ON executions (workflow_id, created_at, id);
CREATE INDEX executions_state ON executions (project_id, state, id);
CREATE INDEX executions_tree ON executions (root_id, parent_id, id);
CREATE INDEX executions_unfinished ON executions (root_id, id, state) WHERE state IN ('IDLE', 'RUNNING', 'PAUSED');
CREATE INDEX executions_updated ON executions (project_id, updated_at, id);
CREATE INDEX members_of_project ON members (member_id, status, resource_id);
CREATE INDEX revisions_of_workflow ON revisions (workflow_id, created_at, id);
CREATE INDEX tasks_of_execution ON tasks (execution_id, retired, id);
CREATE INDEX timers_due ON timers (due_at, owner_id, kind);
CREATE INDEX timers_of_execution ON timers (execution_id);
CREATE UNIQUE INDEX workbooks_name ON workbooks (name, namespace, project_id);
CREATE UNIQUE INDEX workflows_name ON workflows (name, namespace, project_id);
INSERT INTO alembic_version (version_num) VALUES ('0007_quotas');
