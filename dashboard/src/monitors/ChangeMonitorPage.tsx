import { useEvaluationTypes } from '../api/evaluations';
import { useMonitor } from '../api/monitors';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { draftOf } from './draft';
import { MonitorForm } from './MonitorForm';
import { NOT_ALLOWED, Saved } from './Saved';

/** A monitor is changed; how far it has counted stays. */
export default function ChangeMonitorPage({ gateway, id }: { gateway: string; id: string }) {
  const types = useEvaluationTypes();
  const monitor = useMonitor(gateway, id);
  if (!useMay('Write')) return NOT_ALLOWED;
  const problem = types.error ?? monitor.error;
  if (problem) return <Failed problem={problem} />;
  if (!types.data || !monitor.data) return <Loading rows={10} />;
  const { data } = monitor;
  return (
    <Page title={`Change ${data.name}`}>
      <Saved gateway={gateway}>
        {(onSaved) => <MonitorForm gateway={gateway} types={types.data} kept={data} first={draftOf(data)} onSaved={onSaved} />}
      </Saved>
    </Page>
  );
}
