import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './main.css'

import { GraphiQL } from 'graphiql'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'

import { examples } from './examples.js'
import { createFetcher } from './fetcher.js'

const root = document.getElementById('graphiql')
if (!root) throw new Error('index.html has no element #graphiql')

createRoot(root).render(
  createElement(
    GraphiQL,
    {
      fetcher: createFetcher(window.location),
      defaultTabs: examples,
      defaultEditorToolsVisibility: 'variables',
      isHeadersEditorEnabled: true,
      // A token typed into the headers editor is kept in the browser only if the person switches that on.
      shouldPersistHeaders: false,
    },
    createElement(GraphiQL.Logo, null, 'Threefold'),
  ),
)
