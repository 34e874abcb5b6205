import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ChatError } from '../chat-error.js';
import { poolOf } from './data-source.js';

/** Queries that may wait for a connection to Postgres; past that, more would only wait longer. */
const WAITERS = 500;

/** Turns requests away while Postgres is behind: a pool's own queue has no end. */
@Injectable()
export class Admission {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ChatError `overloaded` */
  check(): void {
    if (poolOf(this.dataSource).waitingCount < WAITERS) return;
    throw new ChatError('overloaded', 'Too many requests wait for the database', {
      retryAfterMs: 500 + Math.floor(Math.random() * 1_000),
    });
  }
}
