import { Foundation1763800000000 } from './1763800000000-foundation.js';
import { RecentJoins1764000000000 } from './1764000000000-recent-joins.js';
import { SendInSets1764400000000 } from './1764400000000-send-in-sets.js';
import { RoomsAndRoles1764500000000 } from './1764500000000-rooms-and-roles.js';
import { Edits1764600000001 } from './1764600000001-edits.js';
import { Reactions1764600000002 } from './1764600000002-reactions.js';
import { Pins1764600000003 } from './1764600000003-pins.js';
import { Replies1764600000004 } from './1764600000004-replies.js';
import { RulesOfSends1764700000000 } from './1764700000000-rules-of-sends.js';
import { ReadMarkers1764700000001 } from './1764700000001-read-markers.js';
import { UserAccess1764800000000 } from './1764800000000-user-access.js';
import { SentOnceFirst1764900000000 } from './1764900000000-sent-once-first.js';
import { Filters1765000000010 } from './1765000000010-filters.js';
import { Reports1765100000000 } from './1765100000000-reports.js';
import { SystemUser1765100000001 } from './1765100000001-system-user.js';
import { ApiKeys1765200000000 } from './1765200000000-api-keys.js';
import { HeldMessages1765200000001 } from './1765200000001-held-messages.js';
import { Accounts1765300000001 } from './1765300000001-accounts.js';
import { ShadowMutes1765400000000 } from './1765400000000-shadow-mutes.js';
import { AuditLog1765500000000 } from './1765500000000-audit-log.js';
import { AuditByItsOwner1765600000000 } from './1765600000000-audit-by-its-owner.js';
import { UnreadFromTheNewest1765700000000 } from './1765700000000-unread-from-the-newest.js';

/** In order; a migration that has landed is never edited. */
export const migrations = [
  Foundation1763800000000,
  RecentJoins1764000000000,
  SendInSets1764400000000,
  RoomsAndRoles1764500000000,
  Edits1764600000001,
  Reactions1764600000002,
  Pins1764600000003,
  Replies1764600000004,
  RulesOfSends1764700000000,
  ReadMarkers1764700000001,
  UserAccess1764800000000,
  SentOnceFirst1764900000000,
  Filters1765000000010,
  Reports1765100000000,
  SystemUser1765100000001,
  ApiKeys1765200000000,
  HeldMessages1765200000001,
  Accounts1765300000001,
  ShadowMutes1765400000000,
  AuditLog1765500000000,
  AuditByItsOwner1765600000000,
  UnreadFromTheNewest1765700000000,
];
