/** Version of both programs; equals package.json (tested). */
export const version = '0.1.0';
