import { useEvaluationTypes } from '../api/evaluations';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { newDraft } from './draft';
import { MonitorForm } from './MonitorForm';
import { NOT_ALLOWED, Saved } from './Saved';

/** A monitor is put together; it counts logs from then on. */
export default function NewMonitorPage({ gateway }: { gateway: string }) {
  const types = useEvaluationTypes();
  if (!useMay('Write')) return NOT_ALLOWED;
  if (types.isPending) return <Loading rows={10} />;
  if (types.isError) return <Failed problem={types.error} retry={() => void types.refetch()} />;
  return (
    <Page title="New monitor">
      <Saved gateway={gateway}>
        {(onSaved) => <MonitorForm gateway={gateway} types={types.data} first={newDraft()} onSaved={onSaved} />}
      </Saved>
    </Page>
  );
}
