import { createContext, useContext } from 'react';
import type { Session } from '../api/types';

export const SessionContext = createContext<Session | null>(null);

/** The session of the signed-in page this is on. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('there is no session here');
  return session;
}

/** Whether the session's token grants a permission (Write includes Read). */
export function useMay(permission: 'Read' | 'Write' | 'Run'): boolean {
  return useSession().permissions.includes(`AI Gateway ${permission}`);
}
