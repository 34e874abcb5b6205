/** What each route does, in a sentence, by its operation id in the OpenAPI document. */
export const summaries: Readonly<Record<string, string>> = {
  Guests_renew: 'A fresh token for the guest whose token still holds',
  Guests_enter: 'Makes a guest of this name and signs a token for him, where guests are let in',
  WaysIn_get: 'Whether guests are let in, and whether there are accounts',
  Accounts_register: 'Makes an account, and its first session',
  Accounts_changePassword: 'Sets another password, and ends all other sessions of the account',
  AccountSessions_logIn: 'A session for who knows the password',
  AccountSessions_refresh: 'The next tokens of a session; the refresh token of before is used up',
  AccountSessions_list: 'Your sessions; what was used last comes first',
  AccountSessions_end: 'Ends a session of yours, and closes what is connected with it',
  AccountSessions_endAll: 'Ends all of your sessions, the one that asks too',

  Rooms_mine: 'The rooms that you are a member of, by name',
  Rooms_create: 'Makes a room that you own; the same roomId again gives back the room of the first time',
  Rooms_discover: 'Public rooms by name, or those with a part of it',
  Rooms_get: 'One of your rooms',
  Rooms_update: 'Changes the settings of a room, as far as your role in it allows',
  Rooms_archive: 'Archives a room that you own, or brings it back',
  Rooms_direct: 'The one room of you and another user; made where there is none',
  Rooms_join: 'Joins a public room; joining twice is joining once',
  Rooms_leave: 'Leaves a room; when the last owner leaves, its oldest member owns it',
  Rooms_listMembers: 'Who is in one of your rooms, in the order in which users were made',
  Rooms_addMember: 'Adds a user to a room that you own or moderate',

  Moderation_update: 'Changes the role of a member, or mutes him',
  Moderation_remove: 'Removes a member, who may come back where the room lets him',
  Moderation_ban: 'Bans a user from a room, on wish deleting what he said there, or lifts the ban',
  Moderation_bans: 'Who is banned from a room, by whom, why and until when',
  Moderation_shadow: 'Mute a member without telling him: only he sees what he says',
  Moderation_shadowed: 'The members who are muted without knowing',

  Entrance_createInvite: 'Makes an invite; its code is told this once',
  Entrance_listInvites: 'The invites of a room that hold',
  Entrance_revokeInvite: 'Revokes an invite',
  Entrance_acceptInvite: 'Joins a room by the code of an invite',
  Entrance_request: 'Asks to join a private room that takes requests, or takes that back',
  Entrance_listRequests: 'Who asks to join a room',
  Entrance_answer: 'Lets one in who asked to join, or declines',

  Filters_list: 'The words and links that a room does not take as they are',
  Filters_add: 'Has a word or a link rejected or masked in a room; the same again changes which of both',
  Filters_remove: 'Lets a word or a link pass again',

  Held_list: 'Messages and edits that wait for a moderator, oldest first',
  Held_answer: 'Stores what waits, in the name of its sender, or declines it',

  Messages_history:
    'Messages in ascending seq: the newest, or those before, after or around a seq, of the room or of one thread',
  Messages_send: 'Sends a message; the same clientMsgId again, at any time, gives back the message of the first time',
  Messages_edit: 'Changes the text of a message of yours',
  Messages_versions: 'What a message said before it was edited, for moderators',
  Messages_react: 'Reacts to a message with an emoji, or takes that back',
  Messages_myReactions: 'What you reacted with to the messages from one seq to another',
  Messages_pin: 'Pins a message for everyone in the room, or takes that back; for moderators',
  Messages_listPins: 'The pinned messages of a room; what was pinned last comes first',
  Messages_delete: 'Deletes a message of yours, or for moderators of anyone; its place in the order stays',

  Reports_report: 'Reports a message to those who govern the room; twice is once',
  Reports_list: 'Messages of the room that were reported and not answered, for moderators; the oldest report first',
  Reports_answer: 'Takes a report out of the queue, on wish deleting the message, for moderators',

  Reads_mark: 'Marks a room as read up to a message, or a message and what follows it as unread',
  Reads_list: 'How far each member of a small room has read',

  Typing_set: 'Tells those in a room that you are typing, for eight seconds, or no more',

  Sync_rooms: 'What you missed in all of your rooms since the given cursors',
  Sync_room: 'What you missed in one room since a rev',

  Admin_listRooms: 'Every room by name, also private and archived ones, or those with a part of it',
  Admin_getRoom: 'Any room',
  Admin_listMessages:
    'Messages of any room in ascending seq, of a span of time or of one sender; deleted ones are shown as such',
  Admin_post:
    'Says something in a room in the name of the app; the same clientMsgId again gives back the message of the first time',
  Admin_deleteMessage: 'Deletes any message; its place in the order stays',

  AdminFilters_list: 'The words and links that no room takes as they are',
  AdminFilters_add: 'Has a word or a link rejected or masked in all rooms; the same again changes which of both',
  AdminFilters_remove: 'Lets a word or a link pass again in rooms that do not filter it themselves',
  AdminReports_list: 'Reported messages of all rooms; the oldest report first',
  AdminReports_answer: 'Takes a report out of the queue, on wish deleting the message',

  AdminUsers_list: 'Everybody who was ever here, or the user of your app with this subject',
  AdminUsers_get: 'Any user',
  AdminUsers_disconnect:
    'Ends the sessions of a user: the tokens of before are refused, what is connected with them is closed',
  AdminUsers_ban: 'Lets a user in no more, for good or until a moment, and closes what is connected',
  AdminAudit_list: 'Who did what to whom, the newest first',
  AdminKeys_list: 'The keys of servers and bots that were not revoked',
  AdminKeys_make: 'Makes a key for a server or a bot; it is told this once',
  AdminKeys_revoke: 'Takes a key back, and closes what is connected with it',
  AdminUsers_unban: 'Lets a user in again',
  AdminUsers_purge: 'Deletes what a user said, in all rooms; again where it says that there is more',
};
