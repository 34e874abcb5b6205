import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who did what to whom. Rows are only ever added, and each has the hash of the one before it in its own: one that is changed, taken
 * out or put in between breaks the chain.
 */
export class AuditLog1765500000000 implements MigrationInterface {
  name = 'AuditLog1765500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table audit_log (
        seq bigint primary key,
        at timestamptz(3) not null,
        action text not null,
        actor_kind text not null,
        -- null: the admin key
        actor_id uuid,
        -- a user, a message, a key, a filter; empty where the action says it all
        target text not null,
        room_id uuid,
        address text,
        request_id text,
        details jsonb not null,
        previous bytea not null,
        hash bytea not null
      )`);
    for (const column of ['actor_id', 'room_id', 'target', 'action', 'at'])
      await runner.query(`create index audit_log_by_${column} on audit_log (${column}, seq)`);
    await runner.query(`
      create table audit_head (
        only_one boolean primary key default true check (only_one),
        seq bigint not null,
        hash bytea not null
      )`);
    await runner.query(`insert into audit_head (seq, hash) values (0, sha256(''))`);
    await runner.query(`
      create function audit_hash(entry audit_log) returns bytea language sql stable as $$
        select sha256(entry.previous || convert_to(jsonb_build_array(
          entry.seq, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), entry.action, entry.actor_kind, entry.actor_id,
          entry.target, entry.room_id, entry.address, entry.request_id, entry.details
        )::text, 'UTF8'))
      $$`);
    // The head is the last that a transaction locks, so nobody waits for anything while he holds it but for the commit.
    await runner.query(`
      create function audit(
        p_action text, p_actor_kind text, p_actor_id uuid, p_target text, p_room_id uuid, p_address text, p_request_id text, p_details jsonb
      ) returns void language plpgsql as $$
      declare
        head audit_head;
        entry audit_log;
      begin
        select * into head from audit_head for update;
        entry := row(head.seq + 1, clock_timestamp()::timestamptz(3), p_action, p_actor_kind, p_actor_id, p_target, p_room_id, p_address,
                     p_request_id, p_details, head.hash, ''::bytea);
        entry.hash := audit_hash(entry);
        insert into audit_log select entry.*;
        update audit_head set seq = entry.seq, hash = entry.hash;
      end
      $$`);
    await runner.query(`
      create function only_append() returns trigger language plpgsql as $$
      begin
        raise exception 'The audit log is only added to';
      end
      $$`);
    await runner.query(`
      create trigger only_append before update or delete or truncate on audit_log
        for each statement execute function only_append()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function audit');
    await runner.query('drop function audit_hash');
    await runner.query('drop table audit_log');
    await runner.query('drop table audit_head');
    await runner.query('drop function only_append');
  }
}
