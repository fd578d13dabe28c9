import { Button, Center, MantineProvider, Stack, Text } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { isSignedOut, SESSION_KEY, useSessionQuery } from './api/session';
import { GatewaysPage } from './gateways/GatewaysPage';
import { Empty, Failed, Loading } from './parts/States';
import { SessionContext } from './session/SessionContext';
import { SignInPage } from './session/SignInPage';
import { Shell } from './shell/Shell';
import { readable, theme } from './theme';

const OverviewPage = lazy(() => import('./overview/OverviewPage'));
const DatasetsPage = lazy(() => import('./datasets/DatasetsPage'));
const DatasetPage = lazy(() => import('./datasets/DatasetPage'));
const EvaluationsPage = lazy(() => import('./evaluations/EvaluationsPage'));
const ComparePage = lazy(() => import('./evaluations/ComparePage'));
const QuestionsPage = lazy(() => import('./evaluations/QuestionsPage'));
const QuestionPage = lazy(() => import('./evaluations/QuestionPage'));
const EvaluationPage = lazy(() => import('./evaluations/EvaluationPage'));
const PlaygroundPage = lazy(() => import('./playground/PlaygroundPage'));
const SettingsPage = lazy(() => import('./settings/SettingsPage'));
const TokensPage = lazy(() => import('./account/TokensPage'));
const ProvidersPage = lazy(() => import('./account/ProvidersPage'));
const CostsPage = lazy(() => import('./account/CostsPage'));
const ReplaysPage = lazy(() => import('./replays/ReplaysPage'));
const NewReplayPage = lazy(() => import('./replays/NewReplayPage'));
const ReplayPage = lazy(() => import('./replays/ReplayPage'));
const ShadowsPage = lazy(() => import('./shadows/ShadowsPage'));
const NewShadowPage = lazy(() => import('./shadows/NewShadowPage'));
const ShadowPage = lazy(() => import('./shadows/ShadowPage'));
const MonitorsPage = lazy(() => import('./monitors/MonitorsPage'));
const NewMonitorPage = lazy(() => import('./monitors/NewMonitorPage'));
const MonitorPage = lazy(() => import('./monitors/MonitorPage'));
const ChangeMonitorPage = lazy(() => import('./monitors/ChangeMonitorPage'));
const CalibrationPage = lazy(() => import('./annotate/CalibrationPage'));
const QueuesPage = lazy(() => import('./annotate/QueuesPage'));
const QueuePage = lazy(() => import('./annotate/QueuePage'));
const LabelPage = lazy(() => import('./annotate/LabelPage'));
const RoutesPage = lazy(() => import('./routes/RoutesPage'));
const NewRoutePage = lazy(() => import('./routes/NewRoutePage'));
const RoutePage = lazy(() => import('./routes/RoutePage'));
const CompareLogsPage = lazy(() => import('./logs/CompareLogsPage'));
const LogsPage = lazy(() => import('./logs/LogsPage'));

const queries: QueryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: (failures, problem) => failures < 1 && !(problem instanceof Error && 'status' in problem), staleTime: 2_000 },
  },
  queryCache: new QueryCache({ onError: leave }),
  mutationCache: new MutationCache({ onError: leave }),
});

/** Back to signing in, once the session is over. */
function leave(problem: Error): void {
  if (isSignedOut(problem)) queries.setQueryData(SESSION_KEY, null);
}

// The page's policy takes style elements with its nonce only; two libraries make some.
const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
setNonce(nonce);

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={readable} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queries}>
        <Entrance />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Everything behind it needs a session. */
function Entrance() {
  const session = useSessionQuery();
  if (session.isPending) return <Loading />;
  if (session.isError) {
    return (
      <Center component="main" mih="100vh">
        <Failed problem={session.error} retry={() => void session.refetch()} />
      </Center>
    );
  }
  if (session.data === null) return <SignInPage />;
  return (
    <SessionContext.Provider value={session.data}>
      <Shell>
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path="/" component={GatewaysPage} />
            <Route path="/gateways/:gateway/overview">{({ gateway }) => <OverviewPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/datasets">{({ gateway }) => <DatasetsPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/datasets/:id">{({ gateway, id }) => <DatasetPage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/evaluations">{({ gateway }) => <EvaluationsPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/evaluations/compare">{({ gateway }) => <ComparePage gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/evaluations/questions">{({ gateway }) => <QuestionsPage gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/evaluations/questions/:id">
              {({ gateway, id }) => <QuestionPage key={id} gateway={gateway} id={id} />}
            </Route>
            <Route path="/gateways/:gateway/evaluations/:id">
              {({ gateway, id }) => <EvaluationPage key={id} gateway={gateway} id={id} />}
            </Route>
            <Route path="/gateways/:gateway/replays">{({ gateway }) => <ReplaysPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/replays/new">{({ gateway }) => <NewReplayPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/replays/:id">{({ gateway, id }) => <ReplayPage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/shadows">{({ gateway }) => <ShadowsPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/shadows/new">{({ gateway }) => <NewShadowPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/shadows/:id">{({ gateway, id }) => <ShadowPage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/monitors">{({ gateway }) => <MonitorsPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/monitors/new">{({ gateway }) => <NewMonitorPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/monitors/:id">{({ gateway, id }) => <MonitorPage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/monitors/:id/change">
              {({ gateway, id }) => <ChangeMonitorPage key={id} gateway={gateway} id={id} />}
            </Route>
            <Route path="/gateways/:gateway/annotate/:id/calibration">
              {({ gateway, id }) => <CalibrationPage key={id} gateway={gateway} id={id} />}
            </Route>
            <Route path="/gateways/:gateway/annotate">{({ gateway }) => <QueuesPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/annotate/:id">{({ gateway, id }) => <QueuePage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/annotate/:id/label">
              {({ gateway, id }) => <LabelPage key={id} gateway={gateway} id={id} />}
            </Route>
            <Route path="/gateways/:gateway/routes">{({ gateway }) => <RoutesPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/routes/new">{({ gateway }) => <NewRoutePage gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/routes/:id">{({ gateway, id }) => <RoutePage key={id} gateway={gateway} id={id} />}</Route>
            <Route path="/gateways/:gateway/playground">{({ gateway }) => <PlaygroundPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/settings">{({ gateway }) => <SettingsPage key={gateway} gateway={gateway} />}</Route>
            <Route path="/account/tokens" component={TokensPage} />
            <Route path="/account/providers" component={ProvidersPage} />
            <Route path="/account/costs" component={CostsPage} />
            <Route path="/gateways/:gateway/logs/compare">{({ gateway }) => <CompareLogsPage gateway={gateway} />}</Route>
            <Route path="/gateways/:gateway/logs">{({ gateway }) => <LogsPage key={gateway} gateway={gateway} />}</Route>
            <Route>
              <NoSuchPage />
            </Route>
          </Switch>
        </Suspense>
      </Shell>
    </SessionContext.Provider>
  );
}

function NoSuchPage() {
  return (
    <Empty title="There is no such page">
      <Stack align="center">
        <Text size="sm">The address may be from another version.</Text>
        <Button component="a" href="/" variant="default">
          To the gateways
        </Button>
      </Stack>
    </Empty>
  );
}
