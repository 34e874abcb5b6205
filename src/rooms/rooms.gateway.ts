import type { Caller } from '../auth/caller.js';
import type {
  AddMember,
  ArchiveRoom,
  CreateRoom,
  DirectRoom,
  DiscoverRooms,
  ListMembers,
  MemberPage,
  MemberResult,
  RoomAndMember,
  RoomPage,
  RoomRef,
  RoomResult,
  UpdateRoom,
} from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { DirectRoomsService } from './direct-rooms.service.js';
import { MembersService } from './members.service.js';
import { RoomsService } from './rooms.service.js';

@ChatGateway()
export class RoomsGateway {
  constructor(
    private readonly rooms: RoomsService,
    private readonly members: MembersService,
    private readonly directRooms: DirectRoomsService,
  ) {}

  @On('room:create')
  create(caller: Caller, request: CreateRoom): Promise<RoomAndMember> {
    return this.rooms.create(caller, request);
  }

  @On('room:update')
  update(caller: Caller, request: UpdateRoom): Promise<RoomResult> {
    return this.rooms.update(caller, request);
  }

  @On('room:archive')
  archive(caller: Caller, request: ArchiveRoom): Promise<RoomResult> {
    return this.rooms.archive(caller, request);
  }

  @On('room:direct')
  direct(caller: Caller, request: DirectRoom): Promise<RoomAndMember> {
    return this.directRooms.open(caller, request);
  }

  @On('rooms:discover')
  discover(caller: Caller, request: DiscoverRooms): Promise<RoomPage> {
    return this.rooms.discover(caller, request);
  }

  @On('room:join')
  join(caller: Caller, request: RoomRef): Promise<RoomAndMember> {
    return this.members.join(caller, request);
  }

  @On('room:leave')
  leave(caller: Caller, request: RoomRef): Promise<RoomAndMember> {
    return this.members.leave(caller, request);
  }

  @On('member:add')
  add(caller: Caller, request: AddMember): Promise<MemberResult> {
    return this.members.add(caller, request);
  }

  @On('members:list')
  list(caller: Caller, request: ListMembers): Promise<MemberPage> {
    return this.members.list(caller, request);
  }
}
