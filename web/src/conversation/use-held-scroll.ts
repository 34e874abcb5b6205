import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** So near to the end counts as being there. */
const endSlackPx = 40;

/**
 * Keeps the reader where they are: at the end while they are at the end, otherwise at the message that they look at,
 * whatever is added above or below. The list's messages are the children that have a `data-seq`.
 */
export function useHeldScroll() {
  const view = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const held = useRef<{ element: Element; top: number }>(undefined);
  const [atEnd, setAtEnd] = useState(true);

  const remember = useCallback(() => {
    const element = view.current;
    if (!element) return;
    pinned.current = element.scrollHeight - element.scrollTop - element.clientHeight <= endSlackPx;
    held.current = pinned.current ? undefined : firstInView(element);
    setAtEnd(pinned.current);
  }, []);

  const hold = useCallback(() => {
    const element = view.current;
    if (!element) return;
    if (pinned.current) {
      element.scrollTop = element.scrollHeight;
      return;
    }
    if (!held.current?.element.isConnected) return;
    const moved = held.current.element.getBoundingClientRect().top - held.current.top;
    if (moved !== 0) element.scrollTop += moved;
  }, []);

  const toEnd = useCallback(() => {
    pinned.current = true;
    setAtEnd(true);
    hold();
  }, [hold]);

  useLayoutEffect(hold);
  useEffect(() => {
    const element = view.current;
    if (!element) return;
    const observer = new ResizeObserver(hold);
    observer.observe(element);
    return () => observer.disconnect();
  }, [hold]);

  return { view, atEnd, toEnd, remember };
}

/** The bubble, not the row: a row loses its byline when the run it begins grows upward. */
function firstInView(view: Element): { element: Element; top: number } | undefined {
  const { top: edge } = view.getBoundingClientRect();
  const bubbles = view.querySelectorAll('[data-seq] > .bubble');
  let low = 0;
  let high = bubbles.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bubbles[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  const element = bubbles[low];
  return element && { element, top: element.getBoundingClientRect().top };
}
