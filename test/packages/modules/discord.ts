import { Client, EmbedBuilder, GatewayIntentBits, REST, Routes, SlashCommandBuilder } from 'discord.js';
import { echo, withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(echo, async api => {
    const client = new Client({ intents: [GatewayIntentBits.Guilds] });
    const command = new SlashCommandBuilder().setName('ping').setDescription('Answers pong').toJSON();
    const rest = new REST({ api }).setToken('token');
    const answer = await rest.put(Routes.applicationCommands('1'), { body: [command.name] });
    rest.clearHandlerSweeper();
    rest.clearHashSweeper();
    await client.destroy();
    return { answer, embed: new EmbedBuilder().setTitle('Hot').setColor('Red').toJSON() };
  });
}
