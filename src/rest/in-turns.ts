import type { NextFunction, Request, Response } from 'express';

/**
 * Has one request over REST begin in each turn of the event loop. A thousand that come at the same moment would otherwise all be
 * worked on before the next message of a socket is read; who asks by himself waits for one turn, which is nothing.
 */
export function inTurns(): (request: Request, response: Response, next: NextFunction) => void {
  const waiting: { response: Response; next: NextFunction }[] = [];
  const begin = (): void => {
    const first = waiting.shift();
    if (waiting.length > 0) setImmediate(begin);
    // Who has gone meanwhile is not worked for.
    if (first?.response.destroyed === false) first.next();
  };
  return (_request, response, next) => {
    if (waiting.push({ response, next }) === 1) setImmediate(begin);
  };
}
