import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

/** What tutorials of NestJS build: a gateway that saves each message with TypeORM, then emits it. No login. */
const { PORT, DATABASE_URL } = process.env;

@Entity('messages')
class Message {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('text')
  roomId!: string;

  @Column('text')
  sender!: string;

  @Column('text')
  text!: string;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;
}

@WebSocketGateway({ perMessageDeflate: false, serveClient: false })
class ChatGateway {
  @WebSocketServer()
  private readonly server!: Server;

  constructor(@InjectRepository(Message) private readonly messages: Repository<Message>) {}

  @SubscribeMessage('join')
  async join(@ConnectedSocket() socket: Socket, @MessageBody() { roomId }: { roomId: string }): Promise<object> {
    await socket.join(roomId);
    return { ok: true };
  }

  @SubscribeMessage('leave')
  async leave(@ConnectedSocket() socket: Socket, @MessageBody() { roomId }: { roomId: string }): Promise<object> {
    await socket.leave(roomId);
    return { ok: true };
  }

  @SubscribeMessage('send')
  async send(
    @ConnectedSocket() socket: Socket,
    @MessageBody() { roomId, text }: { roomId: string; text: string },
  ): Promise<object> {
    const message = await this.messages.save({ roomId, text, sender: socket.id });
    this.server.to(roomId).emit('message', message);
    return { ok: true, id: message.id };
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: DATABASE_URL ?? '', entities: [Message], synchronize: true }),
    TypeOrmModule.forFeature([Message]),
  ],
  providers: [ChatGateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new IoAdapter(app));
await app.listen(Number(PORT), '127.0.0.1');
