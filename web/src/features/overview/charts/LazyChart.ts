/** A chart whose library comes when the first one is shown: figures and tables do not wait for it. */
import { defineAsyncComponent } from 'vue'

export const LazyChart = defineAsyncComponent(() => import('./ChartCanvas.vue'))
