/** A foreign gRPC client: what it sends into a session is up to it, byte by byte. */
import { Client, credentials } from '@grpc/grpc-js';

/** Opens a session on the agent, writes these frames, and waits until the agent has ended it. */
export async function sendFrames(address: string, frames: readonly Buffer[]): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest('/muster.v1.Agent/Session', same, same);
  try {
    return await new Promise<string>((resolve) => {
      call.on('data', () => undefined);
      call.on('error', (error) => {
        resolve(error.message);
      });
      call.on('end', () => {
        resolve('ended');
      });
      for (const frame of frames) call.write(frame);
    });
  } finally {
    call.cancel();
    client.close();
  }
}
