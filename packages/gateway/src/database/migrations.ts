import type { Database } from './database.ts'

/**
 * Each entry runs once, in order, on PGlite and PostgreSQL alike. An entry that was released is never edited: what
 * comes later is a new entry. Money is decimal text, hashes and addresses are text, times are milliseconds.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `create table sequences (
      requester text primary key,
      next_sequence bigint not null
    )`,
    `create table functions (
      function_id text primary key,
      creator text not null,
      project text not null,
      name text not null,
      owner text not null,
      current_version integer not null,
      latest_version integer not null,
      payment_mode integer not null,
      payee text not null,
      price text not null,
      deployment text not null
    )`,
    `create table function_terms (
      function_id text not null,
      block_number bigint not null,
      log_index integer not null,
      since_seconds bigint not null,
      payment_mode integer not null,
      payee text not null,
      price text not null,
      primary key (function_id, block_number, log_index)
    )`,
    'create table metadata (digest text primary key, document text not null)',
    'create table cursors (name text primary key, block_number bigint not null)',
    `create table payments (
      payment_id text primary key,
      requester text not null,
      function_id text not null,
      fingerprint text not null,
      mode text not null,
      state text not null,
      price text not null,
      pay_to text not null,
      payer text not null,
      nonce text not null,
      valid_before bigint not null,
      from_block bigint not null,
      payment text not null,
      request_id text not null,
      answer_request_id text,
      transaction text,
      reason text,
      created_at_ms bigint not null,
      updated_at_ms bigint not null
    )`,
    `create index payments_open on payments (requester, state) where state not in ('paid', 'released')`,
    `create table requests (
      request_id text primary key,
      requester text not null,
      sequence bigint not null,
      function_id text not null,
      payment_id text,
      status text not null,
      ticket text not null,
      ticket_signature text not null,
      salt text not null,
      input bytea,
      result bytea,
      attestation text,
      from_block bigint not null,
      settlement text not null,
      settlement_attempts integer not null,
      settlement_next_ms bigint not null,
      transaction text,
      block_number bigint,
      log_position integer,
      created_at_ms bigint not null,
      unique (requester, sequence)
    )`,
    `create index requests_settlement on requests (requester, settlement, settlement_next_ms)
      where settlement in ('pending', 'sending')`,
    'create index requests_created on requests (created_at_ms)',
    `create table equivocations (
      execution_key text not null,
      request_id text not null,
      evidence text not null,
      seen_at_ms bigint not null,
      primary key (execution_key, request_id)
    )`,
  ],
  [
    'alter table requests add column commit_set text',
    'alter table requests add column keep_until_ms bigint',
    `create table commit_sets (
      request_id text primary key,
      commitments text not null,
      signature text not null,
      closed_at_ms bigint not null
    )`,
    `create table conflicts (
      request_id text primary key,
      requester text not null,
      evidence text not null,
      state text not null,
      attempts integer not null,
      next_ms bigint not null,
      transaction text,
      reason text,
      seen_at_ms bigint not null
    )`,
    `create index conflicts_open on conflicts (requester, next_ms) where state = 'pending'`,
    `create table escrows (
      quote_id text primary key,
      deposit text not null unique,
      requester text not null,
      function_id text not null,
      fingerprint text not null,
      terms text not null,
      salt text not null,
      state text not null,
      payment_id text,
      payer text,
      request_id text,
      opened_by text,
      settled_by text,
      closed_by text,
      reason text,
      expires_at_ms bigint not null,
      attempts integer not null,
      next_ms bigint not null,
      created_at_ms bigint not null
    )`,
    `create index escrows_quoted on escrows (expires_at_ms) where state = 'quoted'`,
    `create index escrows_open on escrows (requester, next_ms) where state in ('open', 'settled')`,
    'create index escrows_request on escrows (request_id)',
  ],
  [
    `create table egress_calls (
      request_id text not null,
      call_index integer not null,
      call_digest text not null,
      worker text not null,
      bytes bigint not null,
      answer bytea,
      signature text,
      created_at_ms bigint not null,
      primary key (request_id, call_index)
    )`,
    'create index egress_calls_created on egress_calls (created_at_ms)',
    `create table environments (
      version integer generated always as identity primary key,
      owner text not null,
      creator text not null,
      project text not null,
      previous integer not null,
      created_at_ms bigint not null,
      unique (owner, creator, project, previous)
    )`,
    `create table secrets (
      owner text not null,
      creator text not null,
      project text not null,
      name text not null,
      since_version integer not null,
      until_version integer,
      until_ms bigint,
      key_id text not null,
      sealed bytea not null,
      created_at_ms bigint not null,
      primary key (owner, creator, project, name, since_version)
    )`,
    'create index secrets_ended on secrets (until_ms) where until_ms is not null',
    'create index secrets_key on secrets (key_id)',
  ],
]

/** Brings the schema up to date; safe to call from several processes at once. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (transaction) => {
    if (database.kind === 'postgres') await transaction.query('select pg_advisory_xact_lock(7349261)')
    await transaction.query('create table if not exists migrations (version integer primary key)')
    const rows = await transaction.query('select coalesce(max(version), 0) as version from migrations')
    const done = Number(rows[0]?.version ?? 0)
    for (const [index, statements] of migrations.entries()) {
      if (index < done) continue
      for (const statement of statements) await transaction.query(statement)
      await transaction.query('insert into migrations (version) values ($1)', [index + 1])
    }
  })
}
