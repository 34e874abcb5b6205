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
  const lastTop = useRef(0);
  const [atEnd, setAtEnd] = useState(true);

  const remember = useCallback(() => {
    const element = view.current;
    if (!element) return;
    pinned.current = isAtEnd(element);
    held.current = firstInView(element);
    lastTop.current = element.scrollTop;
    setAtEnd(pinned.current);
  }, []);

  const hold = useCallback(() => {
    const element = view.current;
    if (!element) return;
    // Scrolled since, and the event is still to come.
    const scrolled = element.scrollTop - lastTop.current;
    if (scrolled < 0 && !isAtEnd(element)) pinned.current = false;
    if (pinned.current) {
      element.scrollTop = element.scrollHeight;
      held.current = firstInView(element);
    } else if (held.current?.element.isConnected) {
      const top = held.current.top - scrolled;
      const moved = held.current.element.getBoundingClientRect().top - top;
      if (moved !== 0) element.scrollTop += moved;
      held.current.top = held.current.element.getBoundingClientRect().top;
    }
    lastTop.current = element.scrollTop;
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

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: Element): boolean {
  return scrollHeight - scrollTop - clientHeight <= endSlackPx;
}

/** The bubble, not the row: a row loses its byline when the run it begins grows upward. */
function firstInView(view: Element): { element: Element; top: number } | undefined {
  const { top: edge } = view.getBoundingClientRect();
  const bubbles = view.querySelectorAll('[data-seq] .bubble');
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
