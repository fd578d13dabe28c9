import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, result, keepCsrf } from './client';
import type { Session } from './types';

const KEY = ['session'];

/** Who is signed in; null: nobody. */
export function useSessionQuery() {
  return useQuery({ queryKey: KEY, queryFn: current, staleTime: 60_000, retry: false });
}

async function current(): Promise<Session | null> {
  try {
    const session = await result<Session>(api.GET('/client/v4/user/session'));
    keepCsrf(session.csrf);
    return session;
  } catch (problem) {
    if (problem instanceof ApiError && (problem.status === 400 || problem.status === 401)) return null;
    throw problem;
  }
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => result<Session>(api.POST('/client/v4/user/session', { headers: { authorization: `Bearer ${token}` } })),
    onSuccess: (session) => {
      keepCsrf(session.csrf);
      client.setQueryData(KEY, session);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => result(api.DELETE('/client/v4/user/session')),
    onSettled: () => {
      client.setQueryData(KEY, null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
    },
  });
}

/** Whether an error means that the session is over. */
export function isSignedOut(problem: unknown): boolean {
  return problem instanceof ApiError && (problem.status === 401 || problem.errors.some((error) => error.code === 9106));
}

export const SESSION_KEY = KEY;
