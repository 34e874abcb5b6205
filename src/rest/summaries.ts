/** What each route does, in a sentence, by its operation id in the OpenAPI document. */
export const summaries: Readonly<Record<string, string>> = {
  Guests_enter: 'Makes a guest of this name and signs a token for him, where guests are let in',

  Rooms_mine: 'The rooms that you are a member of, by name',
  Rooms_create: 'Makes a room that you own; the same roomId again gives back the room of the first time',
  Rooms_discover: 'Public rooms by name, or those with a part of it',
  Rooms_get: 'One of your rooms',
  Rooms_update: 'Changes the name or the topic of a room that you own',
  Rooms_join: 'Joins a public room; joining twice is joining once',
  Rooms_leave: 'Leaves a room; when the last owner leaves, its oldest member owns it',
  Rooms_listMembers: 'Who is in one of your rooms, in the order in which users were made',
  Rooms_addMember: 'Adds a user to a room that you own',

  Messages_history: 'Messages in ascending seq: the newest, or those before, after or around a seq',
  Messages_send: 'Sends a message; the same clientMsgId again, at any time, gives back the message of the first time',
  Messages_delete: 'Deletes a message of yours; its place in the order stays',

  Sync_rooms: 'What you missed in all of your rooms since the given cursors',
  Sync_room: 'What you missed in one room since a rev',

  Admin_listRooms: 'Every room by name, also private and archived ones, or those with a part of it',
  Admin_getRoom: 'Any room',
  Admin_listMessages:
    'Messages of any room in ascending seq, of a span of time or of one sender; deleted ones are shown as such',
  Admin_deleteMessage: 'Deletes any message; its place in the order stays',
};
